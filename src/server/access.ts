import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { AgnoChatError } from "../errors.js";
import { validateUserId } from "../ids.js";
import type { Awaitable } from "../memory/memory.js";
import type { Exchange } from "./exchange.js";
import { HostFault } from "./failure.js";
import type { TrustedProxies } from "./trusted-proxies.js";

/** Who may ask. Without `authenticate`, whoever reaches the server may be any user: then only this machine does. */
export interface AccessOptions {
  /**
   * Tells whose request it is, or null for nobody's. With it, no request can be about anybody else. Throwing, or
   * vouching for no valid user id, answers 500 and tells the client nothing. The body must be left unread.
   */
  readonly authenticate?: (request: IncomingMessage) => Awaitable<{ userId: string } | null>;
  /** Without `authenticate`: let other machines in too. Default: false. */
  readonly allowAnonymous?: boolean;
  /** Without `authenticate`: host names the server is known by, besides this machine's own. */
  readonly allowedHosts?: readonly string[];
}

/**
 * Who asks, as far as the server can know.
 * @returns the user vouched for; undefined for an anonymous caller, who may name any
 * @throws {AgnoChatError} `UNAUTHENTICATED`, `FORBIDDEN`; `CONFIG_INVALID` when `authenticate` gives anything else
 */
export async function admit(
  exchange: Exchange,
  options: AccessOptions,
  proxies: TrustedProxies,
): Promise<string | undefined> {
  if (options.authenticate === undefined) return admitAnonymous(exchange, options, proxies);
  const user = await options.authenticate(exchange.request);
  if (user !== null) return vouchedFor(user);
  throw new AgnoChatError("UNAUTHENTICATED", "This needs to know who you are.", {
    hint: "Send credentials.",
  });
}

/** The hook may be plain JavaScript: what it gives is checked, and never the client's fault. */
function vouchedFor(user: { readonly userId: string }): string {
  try {
    return validateUserId(user.userId);
  } catch (cause) {
    const wanted = "authenticate must give { userId } with a valid user id, or null.";
    throw new HostFault(wanted, cause);
  }
}

/** A web page of somebody else can make a browser send requests here, but only with its own Host or Origin. */
function admitAnonymous(
  { request, host }: Exchange,
  { allowAnonymous = false, allowedHosts = [] }: AccessOptions,
  proxies: TrustedProxies,
): undefined {
  const { origin } = request.headers;
  const name = host.replace(/:\d*$/, "");
  const known = isLoopback(name) || allowedHosts.includes(name);
  if (!known && !(allowAnonymous && isLocalName(name)))
    throw forbidden("This server does not answer for the host it was asked as.");
  if (origin !== undefined && !isOriginOf(host, origin))
    throw forbidden("Another site's page may not ask here.");
  if (!allowAnonymous && !isLoopback(proxies.clientOf(request) ?? "localhost"))
    throw forbidden("This server answers its own machine only.");
}

const isOriginOf = (host: string, origin: string): boolean =>
  URL.canParse(origin) && new URL(origin).host === host;

/** An address or a name without a dot: DNS rebinding needs a public name. */
const isLocalName = (name: string): boolean =>
  isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0 || /^[^.]+$/.test(name);

/** True for a name or address that only this machine has. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" ||
  host === "::1" ||
  host === "[::1]" ||
  /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(host);

const forbidden = (message: string) => new AgnoChatError("FORBIDDEN", message);
