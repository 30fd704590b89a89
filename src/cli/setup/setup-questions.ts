import { AgnoChatError } from "../../errors.js";
import { singleLine } from "../../sanitise.js";
import type { Context } from "../command-context.js";
import { parseSetting } from "../settings/settings.js";
import { askQuestion, type QuestionContext } from "../terminal/question-input.js";
import type { OfferedServer } from "./servers.js";

const LONGEST_NAME = 60;

/** Asks for one of these servers or the URL of another one. */
export async function askServer(
  context: Context,
  { offered, running }: { offered: readonly OfferedServer[]; running: ReadonlySet<string> },
): Promise<OfferedServer> {
  const { select } = await import("../prompts.js");
  const choices = offered.map((server) => ({
    value: server,
    name: nameOf(server, running),
    short: server.name,
    description: server.baseUrl ?? "https://api.openai.com/v1",
  }));
  const other = {
    value: null,
    name: "other URL",
    description: "any OpenAI-compatible server",
  };
  const chosen = await answered(context, (terminal) =>
    select({ message: "Which server?", choices: [...choices, other] }, terminal),
  );
  return chosen ?? { name: "other URL", baseUrl: await askUrl(context), isLocal: false };
}

const nameOf = ({ name, baseUrl }: OfferedServer, running: ReadonlySet<string>): string =>
  baseUrl !== undefined && running.has(baseUrl) ? `${name.padEnd(14)}running` : name;

async function askUrl(context: Context): Promise<string> {
  const { input } = await import("../prompts.js");
  const url = await answered(context, (terminal) =>
    input(
      { message: "Base URL, ending in /v1", validate: (text) => urlFault(text.trim()) },
      terminal,
    ),
  );
  return url.trim();
}

function urlFault(text: string): true | string {
  try {
    parseSetting("baseUrl", text, { label: "The URL", code: "USAGE" });
    return true;
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

/** Asks for the key, or `!` and a command that prints it; "" for none. Shows only stars. */
export async function askKey(
  context: Context,
  { message, isOptional }: { message: string; isOptional: boolean },
): Promise<string> {
  const { password } = await import("../prompts.js");
  const validate = (text: string) =>
    isOptional ||
    text.trim() !== "" ||
    "Type or paste the key, or ! followed by a command that prints it.";
  const key = await answered(context, (terminal) =>
    password({ message, mask: true, toggleMask: false, validate }, terminal),
  );
  return key.trim();
}

/** Asks for one of the names, or for any other name. */
export async function askModel(context: Context, names: readonly string[]): Promise<string> {
  const { search } = await import("../prompts.js");
  const source = (typed = "") => {
    const wanted = typed.trim();
    const matching = names.filter((name) => name.toLowerCase().includes(wanted.toLowerCase()));
    const isOther = wanted !== "" && !names.includes(wanted);
    return [
      ...matching.map((name) => ({ value: name, name: singleLine(name, LONGEST_NAME) })),
      ...(isOther
        ? [{ value: wanted, name: `${singleLine(wanted, LONGEST_NAME)} (as typed)` }]
        : []),
    ];
  };
  const message = names.length === 0 ? "Type the model's name" : "Which model?";
  return answered(context, (terminal) => search({ message, source }, terminal));
}

/** What to change when the model did not answer. */
export type Repair = "again" | "key" | "model" | "server" | "save";

export async function askRepair(context: Context): Promise<Repair> {
  const { select } = await import("../prompts.js");
  const choices: { value: Repair; name: string }[] = [
    { value: "again", name: "try again" },
    { value: "key", name: "change the key" },
    { value: "model", name: "choose another model" },
    { value: "server", name: "choose another server" },
    { value: "save", name: "save it anyway" },
  ];
  return answered(context, (terminal) => select({ message: "What now?", choices }, terminal));
}

/** @throws {AgnoChatError} `CANCELLED` after Esc, Ctrl-C or Ctrl-D, or when the process must end */
async function answered<T>(
  { io, signal }: Context,
  question: (terminal: QuestionContext) => Promise<T>,
): Promise<T> {
  const { stdin, stderr } = io;
  const answer = await askQuestion({ stdin, stderr, signal }, question);
  if (answer === undefined) throw new AgnoChatError("CANCELLED", "Nothing changed.");
  return answer;
}
