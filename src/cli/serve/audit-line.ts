import type { RequestRecord } from "../../server/index.js";

/**
 * One line of JSON about a request for somebody's data: `time`, `action`, `user` in clear, `from`
 * (the client's address), `method`, `path`, `status`, and if there is one the id of the `token`,
 * the error's `code` and the `run`. Undefined for a request that concerned nobody, as for the
 * health of the server.
 */
export function auditLine(record: RequestRecord): string | undefined {
  const action = actionOf(record);
  if (action === undefined) return undefined;
  const { time, userId: user, tokenId: token, address: from, runId: run } = record;
  const { method, path, status, code } = record;
  const line = { time, action, user, token, from, method, path, status, code, run };
  return `${JSON.stringify(line)}\n`;
}

function actionOf({ method, path, code, userId }: RequestRecord): string | undefined {
  if (code !== undefined && REFUSED.has(code)) return "refused";
  if (userId === undefined) return undefined;
  if (method === "DELETE") return "cleared";
  if (method === "POST") return "asked";
  return path === "/export" ? "exported" : "read";
}

const REFUSED: ReadonlySet<string> = new Set(["UNAUTHENTICATED", "FORBIDDEN", "TOO_MANY_ATTEMPTS"]);
