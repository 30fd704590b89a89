import { AgnoChatError } from "../../errors.js";

type Environment = Readonly<Record<string, string | undefined>>;

/** True for this machine: `localhost` and its subdomains, 127.0.0.0/8 and ::1. */
export const isLoopback = ({ hostname }: URL): boolean =>
  /^(.+\.)?localhost$|^127(\.\d+){3}$|^\[::1\]$/.test(hostname);

/**
 * Returns the proxy for a request, from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (lower case
 * first, as curl reads them), or undefined. This machine is always reached directly.
 * @throws {AgnoChatError} `CONFIG_INVALID` for a value that is not the URL of an http or https
 *   proxy
 */
export function proxyFor(target: URL, environment: Environment): URL | undefined {
  const name = target.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const value = setting(name, environment);
  if (value === "" || isLoopback(target)) return undefined;
  if (isExempt(target, setting("NO_PROXY", environment))) return undefined;
  const proxy = toUrl(value.includes("://") ? value : `http://${value}`);
  if (proxy && /^https?:$/.test(proxy.protocol) && hasReadableCredentials(proxy)) return proxy;
  throw new AgnoChatError("CONFIG_INVALID", `${name} does not name an http or https proxy.`, {
    hint: `Set ${name} to something like http://proxy.example:8080, or unset it.`,
  });
}

/** A `%` in a password must be written `%25`. */
function hasReadableCredentials({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

const setting = (name: string, environment: Environment): string =>
  (environment[name.toLowerCase()] || environment[name] || "").trim();

const toUrl = (value: string): URL | undefined =>
  URL.canParse(value) ? new URL(value) : undefined;

/**
 * `NO_PROXY` lists hosts or domains (a leading `.` or `*.` is optional), with or without a port;
 * `*` is all.
 */
function isExempt(target: URL, list: string): boolean {
  const port = target.port || (target.protocol === "https:" ? "443" : "80");
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      const [, host = "", only] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      const domain = host.replace(/^\*?\./, "");
      if (only !== undefined && only !== port) return false;
      return host === "*" || target.hostname === domain || target.hostname.endsWith(`.${domain}`);
    });
}
