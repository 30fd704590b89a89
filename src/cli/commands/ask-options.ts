import { AgnoChatError } from "../../errors.js";
import type { Context } from "../command-context.js";

export interface AskOptions {
  /** Start a new session. */
  readonly new?: boolean;
  /** `false`: do not read stdin. */
  readonly stdin?: boolean;
  /** Print the answer exactly as the model wrote it. */
  readonly raw?: boolean;
  /** Print the last code block alone. */
  readonly extract?: boolean;
  /** Print every event of the run as a line of JSON. */
  readonly streamJson?: boolean;
  /** The file of a JSON Schema that the answer has to fit. */
  readonly schema?: string;
  /** The paths of files to send with the prompt. */
  readonly attach?: readonly string[];
  /** Ask in the chat, and stay there. */
  readonly interactive?: boolean;
}

/** What each of these flags prints goes with none of the others, except these pairs. */
const FORMS = {
  json: "--json",
  streamJson: "--stream-json",
  extract: "-x",
  raw: "--raw",
  schema: "--schema",
  interactive: "-i",
} as const;

const TOGETHER: ReadonlySet<string> = new Set([
  "-x --raw",
  "--json --schema",
  "--stream-json --schema",
]);

/** @throws {AgnoChatError} `USAGE` for flags that do not go together */
export function refuseContradictions({ options: { json }, io }: Context, options: AskOptions) {
  const asked = { ...options, json };
  const flags = Object.entries(FORMS).flatMap(([name, flag]) =>
    asked[name as keyof typeof FORMS] ? [flag] : [],
  );
  for (const [index, flag] of flags.entries())
    for (const other of flags.slice(index + 1))
      if (!TOGETHER.has(`${flag} ${other}`))
        throw new AgnoChatError("USAGE", `${other} does not go with ${flag}.`, {
          hint: "Give only one of them.",
        });
  if (options.interactive && !io.stdin.isTTY)
    throw new AgnoChatError("USAGE", "-i stays in the chat, and stdin is not a terminal.", {
      hint: "Without -i, ask answers once.",
    });
}
