import type { IncomingMessage } from "node:http";

/** The versions of the A2A protocol spoken here. */
export type A2aVersion = "1.0" | "0.3";

/** The version a request names, whatever its patch; one that names none is 0.3. Undefined for a version unknown here. */
export function versionOf({ headers }: IncomingMessage): A2aVersion | undefined {
  const named = String(headers["a2a-version"] ?? "").trim() || "0.3";
  const [, version] = /^(\d+\.\d+)(?:\.\d+)?$/.exec(named) ?? [];
  return version === "1.0" || version === "0.3" ? version : undefined;
}
