import { AgnoChatError, type ErrorCode } from "../../errors.js";
import type { ApiServer } from "./api-server.js";
import type { CallFailure } from "./call-failure.js";
import { ProxyFailure } from "./http-errors.js";

interface NetworkFault {
  readonly code?: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly retry: boolean;
}

/** Explains a failed connection by Node's error code; undefined for an error without one. */
export function networkFailure(thrown: unknown, server: ApiServer): CallFailure | undefined {
  const fault = faultOf(thrown, server);
  if (fault === undefined) return undefined;
  const { code = "MODEL_NETWORK", message, hint, retry } = fault;
  return { error: new AgnoChatError(code, message, { hint, cause: thrown }), retry };
}

function faultOf(thrown: unknown, server: ApiServer): NetworkFault | undefined {
  if (thrown instanceof ProxyFailure) return proxyFailed(thrown);
  const code = codeOf(thrown);
  if (code === "") return undefined;
  if (code === "ETIMEDOUT") return connectTimedOut(server);
  if (code === "ECONNREFUSED") return connectionRefused(server);
  if (/^(ENOTFOUND|EAI_)/.test(code)) return unknownHost(server, code);
  if (TLS.test(code)) return tlsFailed(server, code);
  if (code === "HPE_HEADER_OVERFLOW") return headersTooLong(server);
  if (code.startsWith("HPE_")) return notHttp(server);
  return connectionLost(server, code);
}

const connectTimedOut = ({ host }: ApiServer): NetworkFault => ({
  code: "MODEL_TIMEOUT",
  message: `${host} took too long to connect.`,
  hint: "Check the base URL and the network, then try again.",
  retry: true,
});

const connectionRefused = ({ host, isLoopback }: ApiServer): NetworkFault => ({
  message: `Nothing is listening at ${host}.`,
  hint: isLoopback
    ? "Is the server running? Start it, or check the base URL."
    : "Check the base URL and the network.",
  retry: !isLoopback,
});

const unknownHost = ({ host }: ApiServer, code: string): NetworkFault => ({
  message: `The host ${host} was not found.`,
  hint: "Check the base URL and the network.",
  retry: code === "EAI_AGAIN",
});

const notHttp = ({ host }: ApiServer): NetworkFault => ({
  code: "MODEL_BAD_RESPONSE",
  message: `${host} does not answer in HTTP.`,
  hint: "Check the base URL: it may need https instead of http, or another port.",
  retry: false,
});

const headersTooLong = ({ host }: ApiServer): NetworkFault => ({
  code: "MODEL_BAD_RESPONSE",
  message: `${host} sent headers that are too long.`,
  hint: "Check the base URL, and any proxy or gateway in front of the server.",
  retry: false,
});

const connectionLost = ({ host }: ApiServer, code: string): NetworkFault => ({
  message: `The connection to ${host} was lost (${code}).`,
  hint: "Try again; if it happens again, check the network and the server's log.",
  retry: true,
});

const TLS = /CERT|SELF_SIGNED|UNABLE_TO|^ERR_(TLS|SSL)|^EPROTO$/;

const tlsFailed = ({ host }: ApiServer, code: string): NetworkFault => ({
  message: `No secure connection to ${host} (${code}).`,
  hint: /SSL|EPROTO/.test(code)
    ? "Check the base URL: the server may need http instead of https."
    : "If you trust its certificate, set NODE_EXTRA_CA_CERTS to the file of the CA that signed it.",
  retry: false,
});

function proxyFailed({ host, cause }: ProxyFailure): NetworkFault {
  const why = codeOf(cause) || (cause instanceof Error && /^HTTP \d+$/.exec(cause.message)?.[0]);
  return {
    message: `The proxy ${host} did not connect${why ? ` (${why})` : ""}.`,
    hint: "Check HTTPS_PROXY and HTTP_PROXY, or add the host to NO_PROXY.",
    retry: false,
  };
}

function codeOf(thrown: unknown): string {
  const code: unknown = thrown instanceof Error && "code" in thrown ? thrown.code : "";
  return typeof code === "string" ? code : "";
}
