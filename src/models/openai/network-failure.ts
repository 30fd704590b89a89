import { AgnoChatError, type ErrorCode } from "../../errors.js";
import type { CallFailure } from "./call-failure.js";
import { ProxyFailure } from "./http-request.js";
import type { Server } from "./server.js";

interface Story {
  readonly code?: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly retry: boolean;
}

/** What became of a connection, by the error code of Node; undefined for an error without one. */
export function networkFailure(thrown: unknown, server: Server): CallFailure | undefined {
  const story = storyOf(thrown, server);
  if (story === undefined) return undefined;
  const { code = "MODEL_NETWORK", message, hint, retry } = story;
  return { error: new AgnoChatError(code, message, { hint, cause: thrown }), retry };
}

function storyOf(thrown: unknown, server: Server): Story | undefined {
  if (thrown instanceof ProxyFailure) return proxyStory(thrown);
  const code = codeOf(thrown);
  if (code === "") return undefined;
  if (code === "ETIMEDOUT") return slowStory(server);
  if (code === "ECONNREFUSED") return refusedStory(server);
  if (/^(ENOTFOUND|EAI_)/.test(code)) return unknownHostStory(server, code);
  if (TLS.test(code)) return tlsStory(server, code);
  if (code === "HPE_HEADER_OVERFLOW") return longHeadersStory(server);
  if (code.startsWith("HPE_")) return notHttpStory(server);
  return lostStory(server, code);
}

const slowStory = ({ host }: Server): Story => ({
  code: "MODEL_TIMEOUT",
  message: `${host} took too long to connect.`,
  hint: "Check the base URL and the network, then try again.",
  retry: true,
});

const refusedStory = ({ host, isLoopback }: Server): Story => ({
  message: `Nothing answers at ${host}.`,
  hint: isLoopback
    ? "Is the server running? Start it, or check the base URL."
    : "Check the base URL and the network.",
  retry: !isLoopback,
});

const unknownHostStory = ({ host }: Server, code: string): Story => ({
  message: `The host ${host} was not found.`,
  hint: "Check the base URL and the network.",
  retry: code === "EAI_AGAIN",
});

const notHttpStory = ({ host }: Server): Story => ({
  code: "MODEL_BAD_RESPONSE",
  message: `${host} does not answer in HTTP.`,
  hint: "Check the base URL: perhaps it is https and not http, or another port.",
  retry: false,
});

const longHeadersStory = ({ host }: Server): Story => ({
  code: "MODEL_BAD_RESPONSE",
  message: `${host} sent headers that are too long.`,
  hint: "Check the base URL, and what stands between you and the server.",
  retry: false,
});

const lostStory = ({ host }: Server, code: string): Story => ({
  message: `The connection to ${host} was lost (${code}).`,
  hint: "Try again; if it stays so, look at the network and at the server's log.",
  retry: true,
});

const TLS = /CERT|SELF_SIGNED|UNABLE_TO|^ERR_(TLS|SSL)|^EPROTO$/;

const tlsStory = ({ host }: Server, code: string): Story => ({
  message: `No secure connection to ${host} (${code}).`,
  hint: /SSL|EPROTO/.test(code)
    ? "Check the base URL: perhaps the server speaks http and not https."
    : "If you trust its certificate, name the file of its authority in NODE_EXTRA_CA_CERTS.",
  retry: false,
});

function proxyStory({ host, cause }: ProxyFailure): Story {
  const why = codeOf(cause) || (cause instanceof Error && /^HTTP \d+$/.exec(cause.message)?.[0]);
  return {
    message: `The proxy ${host} did not connect${why ? ` (${why})` : ""}.`,
    hint: "Check HTTPS_PROXY and HTTP_PROXY, or name the host in NO_PROXY.",
    retry: false,
  };
}

function codeOf(thrown: unknown): string {
  const code: unknown = thrown instanceof Error && "code" in thrown ? thrown.code : "";
  return typeof code === "string" ? code : "";
}
