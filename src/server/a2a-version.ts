import type { RequestHead } from "./request-context.js";

/** The supported versions of the A2A protocol. */
export type A2aVersion = "1.0" | "0.3";

/**
 * The version a request asks for, without its patch number; 0.3 by default, undefined if
 * unsupported.
 */
export function versionOf({ headers }: RequestHead): A2aVersion | undefined {
  const named = String(headers["a2a-version"] ?? "").trim() || "0.3";
  const [, version] = /^(\d+\.\d+)(?:\.\d+)?$/.exec(named) ?? [];
  return version === "1.0" || version === "0.3" ? version : undefined;
}
