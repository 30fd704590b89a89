import { appendFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { InputFiles } from "../../../../src/cli/terminal/input-files.js";
import { InputHistory } from "../../../../src/cli/terminal/input-history.js";
import { LineEditor } from "../../../../src/cli/terminal/line-editor.js";
import { type UserId, validateUserId } from "../../../../src/ids.js";

const ALICE = validateUserId("alice");

/** A small REPL: it notes every event in a file as JSON, and obeys a few commands of its own. */
const folder = process.argv[2] ?? "";
const store = new InputFiles(path.join(folder, "input"));
const histories = new Map<UserId, InputHistory>();
const historyOf = (userId: UserId): InputHistory => {
  const history = histories.get(userId) ?? new InputHistory(userId, store);
  histories.set(userId, history);
  return history;
};
const note = (event: object): void =>
  appendFileSync(path.join(folder, "events"), `${JSON.stringify(event)}\n`);

const editor = new LineEditor({
  input: process.stdin,
  output: process.stdout,
  env: process.env,
  prompt: "\x1b[36malice>\x1b[0m ",
  owner: ALICE,
  history: historyOf(ALICE),
  complete: (text) => {
    const known = ["/print ", "/user alice", "/user bob", "/stream"];
    const found = known.filter((command) => command.startsWith(text));
    return text.startsWith("/slow") ? Promise.resolve([`${text}ly`]) : found;
  },
});

const COMMANDS: Record<string, (rest: string) => unknown> = {
  "/user": (name) => {
    const userId = validateUserId(name);
    editor.setOwner(userId, historyOf(userId));
    editor.setPrompt(`${userId}> `);
  },
  "/print": (text) => editor.print(`${text}\n`),
  "/open": (text) => editor.print("", () => `${text}\n`),
  "/ask": async () => {
    editor.suspend();
    const questions = createInterface({ input: process.stdin, output: process.stdout });
    note({ type: "answer", text: await questions.question("sure? ") });
    questions.close();
    editor.print("printed while away\n");
    editor.resume();
  },
  "/edit": async (text) => note({ type: "edited", text: await editor.edit(text) }),
  "/later": (text) => {
    // On a signal of the test, so that what is typed meanwhile is known to be there.
    process.once("SIGUSR2", () => editor.print(`${text}\n`));
    note({ type: "pid", pid: process.pid });
  },
  "/crash": () => {
    setImmediate(() => {
      throw new Error("crashed on purpose");
    });
  },
  "/exit": () => editor.close(),
};

const listen = (): void =>
  editor.listen((event) => {
    note(event);
    if (event.type !== "message" || event.literal) return;
    const [command = "", ...words] = event.text.split(" ");
    COMMANDS[command]?.(words.join(" "));
  });

editor.resume();
if (process.argv[3] === "later") {
  note({ type: "pid", pid: process.pid });
  process.once("SIGUSR2", listen);
} else listen();
