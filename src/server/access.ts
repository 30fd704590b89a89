import { isIP } from "node:net";
import { AgnoChatError, type AgnoChatErrorOptions } from "../errors.js";
import { type UserId, validateUserId } from "../ids.js";
import type { Awaitable, Tokens } from "../memory/memory.js";
import { ConfigurationFault } from "./failure-answer.js";
import { type RequestContext, type RequestHead, UNKNOWN_ADDRESS } from "./request-context.js";
import type { TrustedProxies } from "./trusted-proxies.js";

/**
 * Who may send requests. Without `authenticate` and `tokens` any caller may be any user, so only
 * this machine may connect.
 */
export interface AccessOptions {
  /**
   * Returns the user who sent the request, or null to refuse it with 401. The request can then
   * reach only this user's data. If this throws or returns an invalid user id, the answer is 500
   * without details. It must not read the body.
   */
  readonly authenticate?: (request: RequestHead) => Awaitable<{ userId: string } | null>;
  /**
   * Lets in who holds one of these tokens, those of a memory, and no one else. A request has its
   * token in the header `Authorization: Bearer …`. Not together with `authenticate`.
   */
  readonly tokens?: Tokens;
  /** Without `authenticate` and `tokens`: also accept other machines. Default: false. */
  readonly allowAnonymous?: boolean;
  /**
   * Without `authenticate` and `tokens`: host names of the server, in addition to this machine's
   * own.
   */
  readonly allowedHosts?: readonly string[];
}

/**
 * Authenticates the caller. An anonymous one is let in at once, because a promise has its price.
 * @returns the caller's user id; undefined for an anonymous caller, who may name any user
 * @throws {AgnoChatError} or rejects with `UNAUTHENTICATED`, `FORBIDDEN`; `CONFIG_INVALID` when
 *   `authenticate` returns anything else
 */
export function admit(
  context: RequestContext,
  options: AccessOptions,
  proxies: TrustedProxies,
): Promise<UserId> | undefined {
  if (options.authenticate === undefined) return admitAnonymous(context, options, proxies);
  return authenticated(context, options.authenticate);
}

async function authenticated(
  { head }: RequestContext,
  authenticate: NonNullable<AccessOptions["authenticate"]>,
): Promise<UserId> {
  const user = await authenticate(head);
  if (user !== null) return callerOf(user);
  throw new AgnoChatError("UNAUTHENTICATED", "This request needs authentication.", {
    hint: "Send credentials.",
  });
}

/**
 * `authenticate` may be plain JavaScript, so its result is checked; an invalid one is not the
 * client's fault.
 */
function callerOf(user: { readonly userId: string }): UserId {
  try {
    return validateUserId(user.userId);
  } catch (cause) {
    const wanted = "authenticate must return { userId } with a valid user id, or null.";
    throw new ConfigurationFault(wanted, cause);
  }
}

/**
 * A foreign web page can make a browser send requests here, but only with its own Host or Origin.
 */
function admitAnonymous(
  { head, host }: RequestContext,
  { allowAnonymous = false, allowedHosts = [] }: AccessOptions,
  proxies: TrustedProxies,
): undefined {
  const { origin } = head.headers;
  const name = host.replace(/:\d*$/, "");
  const known = isLoopback(name) || allowedHosts.includes(name);
  if (!known && !(allowAnonymous && isLocalName(name)))
    throw forbidden("This server does not serve the requested host.");
  if (origin !== undefined && !isOriginOf(host, origin))
    throw forbidden("Requests from pages of another site are refused.");
  if (!allowAnonymous && !isLoopback(proxies.clientOf(head)))
    throw forbidden("This server accepts only requests from its own machine.", {
      hint: head.address === UNKNOWN_ADDRESS ? TELL_FETCH : undefined,
    });
}

const isOriginOf = (host: string, origin: string): boolean =>
  URL.canParse(origin) && new URL(origin).host === host;

/** An address or a name without a dot: DNS rebinding needs a public name. */
const isLocalName = (name: string): boolean =>
  isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0 || /^[^.]+$/.test(name);

/** True for a name or address that only this machine has. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" ||
  host === "127.0.0.1" ||
  host === "::1" ||
  host === "[::1]" ||
  /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(host);

const TELL_FETCH = "Give fetch the address of the client, or authenticate it.";

const forbidden = (message: string, options?: AgnoChatErrorOptions) =>
  new AgnoChatError("FORBIDDEN", message, options);
