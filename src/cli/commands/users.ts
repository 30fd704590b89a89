import type { UserRow } from "../../memory/store.js";
import { safeJson } from "../../safe-json.js";
import { Columns } from "../columns.js";
import type { Context } from "../command-context.js";
import { localTime } from "../local-time.js";
import { withStore } from "../open-store.js";
import { count } from "../words.js";
import { writePieces } from "../write-pieces.js";

type Pages = AsyncIterable<readonly UserRow[]>;

/** `users`: lists the users who have a history, most recently active first. */
export function users(context: Context): Promise<number> {
  const { options, output } = context;
  return withStore(context, async (store) => {
    let seen = 0;
    async function* pages(): AsyncGenerator<readonly UserRow[]> {
      for await (const page of store?.usersByActivity() ?? []) {
        seen += page.length;
        yield page;
      }
    }
    const text = options.json ? documentOf(pages()) : tableOf(pages());
    const exitCode = await writePieces(context, text, () => `${count(seen, "user")} so far`);
    if (seen === 0 && !options.json) output.note("No user has a history yet.");
    return exitCode;
  });
}

async function* documentOf(pages: Pages): AsyncGenerator<string> {
  // Sent with the first page, so that a store that fails at once has no output.
  let opening = '{"ok":true,"users":[';
  for await (const page of pages) {
    yield opening + page.map((row) => safeJson(described(row))).join(",");
    opening = ",";
  }
  yield opening === "," ? "]}\n" : `${opening}]}\n`;
}

async function* tableOf(pages: Pages): AsyncGenerator<string> {
  const columns = new Columns();
  let rows = [["user", "sessions", "messages", "last activity"]];
  for await (const page of pages) {
    rows.push(...page.map(cellsOf));
    yield columns.textOf(rows);
    rows = [];
  }
}

const cellsOf = ({ userId, sessions, messages, lastActivity }: UserRow): string[] =>
  [userId, sessions, messages, localTime(lastActivity)].map(String);

const described = ({ userId: user, sessions, messages, lastActivity }: UserRow) => ({
  ...{ user, sessions, messages },
  lastActivity: new Date(lastActivity).toISOString(),
});
