import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type BuildOptions, build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bundleOptions } from "../../../scripts/build.mjs";
import { Pty, type PtyOptions } from "../../support/pty.js";

const home = mkdtempSync(path.join(tmpdir(), "line-editor-"));
const program = path.join(home, "program.mjs");

let folder: string;
let pty: Pty;

beforeAll(async () => {
  await build({
    ...(bundleOptions as BuildOptions),
    entryPoints: ["test/cli/terminal/programs/line-editor-program.ts"],
    outfile: program,
  });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

beforeEach(() => {
  folder = mkdtempSync(path.join(home, "run-"));
});
afterEach(() => pty.close());

async function start(options: Partial<PtyOptions> = {}, when = "now"): Promise<void> {
  pty = new Pty({ file: process.execPath, args: [program, folder, when], ...options });
  await pty.waitFor("alice>");
}

interface Noted {
  readonly type: string;
  readonly [key: string]: unknown;
}

function noted(): Noted[] {
  const file = path.join(folder, "events");
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Noted);
}

/** All events, once there are at least `count`. */
async function events(count: number): Promise<Noted[]> {
  await pty.waitFor(() => noted().length >= count);
  return noted();
}

async function lastText(): Promise<unknown> {
  return (await events(1)).at(-1)?.text;
}

const message = (text: string, more: object = {}): object => ({
  type: "message",
  text,
  owner: "alice",
  literal: false,
  ...more,
});

describe("sending", () => {
  beforeEach(() => start());

  test("Enter sends the line and leaves it on the screen", async () => {
    pty.type("hello\r");
    expect(await events(1)).toEqual([message("hello")]);
    await pty.waitFor((p) => p.screen.join("|") === "alice> hello|alice>");
  });

  test("an empty line is not sent", async () => {
    pty.type("\r  \rhello\r");
    expect(await events(1)).toEqual([message("hello")]);
  });

  test.each([
    ["Ctrl-J", "\n"],
    ["Alt-Enter", "\x1b\r"],
    ["a backslash before Enter", "\\\r"],
  ])("%s starts a new line of the same message", async (_, keys) => {
    pty.type(`one${keys}two`);
    await pty.waitFor((p) => p.screen.join("|") === "alice> one|… two");
    pty.press("enter");
    expect(await events(1)).toEqual([message("one\ntwo")]);
  });

  test('""" opens a block until """, and its commands are text', async () => {
    pty.type('"""\r/exit\r\r  two\\\r');
    await pty.waitFor((p) => p.screen.join("|") === 'alice> """|… /exit|…|…   two\\|…');
    expect(noted()).toEqual([]);
    pty.type('"""\r');
    expect(await events(1)).toEqual([message("/exit\n\n  two\\", { literal: true })]);
  });

  test.each([
    ["at the end of a line begins one", 'Look: """\rone\rtwo\r"""\r', "Look:\none\ntwo"],
    ["at the start of a line begins one", '"""one\rtwo\r"""\r', "one\ntwo"],
    ["at the end of a line ends one", '"""\rone\rtwo"""\r', "one\ntwo"],
    ["twice in one line does neither", 'say """hi""" now\r', 'say """hi""" now'],
    ["in the middle of a line does neither", '"""\ra """ b\r"""\r', 'a """ b'],
  ])('""" %s', async (_, keys, text) => {
    pty.type(keys);
    expect((await events(1))[0]?.text).toBe(text);
  });
});

describe("an input history that cannot be used", () => {
  test("costs no message, and is reported in a remark that does not look like a prompt", async () => {
    writeFileSync(path.join(folder, "input"), "a file where the folder should be");
    await start({ columns: 60 });
    pty.type("first\r");
    expect(await events(1)).toEqual([message("first")]);
    await pty.waitFor(/^ {2}Cannot \w+ the input history/m);
    pty.type("second\r");
    expect((await events(2))[1]).toEqual(message("second"));
  });
});

test("a remark that is wider than the terminal breaks between words", async () => {
  writeFileSync(path.join(folder, "input"), "a file where the folder should be");
  await start({ columns: 30 });
  pty.type("first\r");
  // 27 columns have room for "histo", too.
  await pty.waitFor(/^ {2}Cannot \w+ the input\n {2}history /m);
});

describe("input before there is a listener", () => {
  test("is handled in order later, each line for the user who is active by then", async () => {
    await start({}, "later");
    const [{ pid }] = (await events(1)) as [{ type: string; pid: number }];
    pty.type("first\r/user bob\rsecond\r");
    await pty.waitFor(/alice> first$/);
    process.kill(pid, "SIGUSR2");
    expect((await events(4)).slice(1)).toEqual([
      message("first"),
      message("/user bob"),
      message("second", { owner: "bob" }),
    ]);
    pty.press("up");
    await pty.waitFor(/bob> second$/);
    pty.press("up");
    await pty.waitFor(/bob> second$/);
  });
});

describe("pasting", () => {
  beforeEach(() => start());

  test("several lines are shown as one placeholder and sent only by Enter", async () => {
    pty.paste("/user bob\nfirst\n/exit\n");
    await pty.waitFor((p) => p.screen.join("|") === "alice> [pasted 3 lines]");
    expect(noted()).toEqual([]);
    pty.press("enter");
    expect(await events(1)).toEqual([message("/user bob\nfirst\n/exit", { literal: true })]);
  });

  test("text typed around a paste stays, and a command before it stays a command", async () => {
    pty.type("/note ");
    pty.paste("one\ntwo");
    pty.type(" end\r");
    expect(await events(1)).toEqual([message("/note one\ntwo end")]);
  });

  test("a small paste of one line is as if typed", async () => {
    pty.type("say ");
    pty.paste("hello there\n");
    await pty.waitFor((p) => p.screen.join("|") === "alice> say hello there");
    pty.type("!\r");
    expect(await lastText()).toBe("say hello there!");
  });

  test("escape sequences and control characters in a paste are removed", async () => {
    pty.paste("a\x1b[2Jb\x07c\x1b]0;title\x07d\te");
    pty.press("enter");
    expect(await lastText()).toBe("abcd\te");
  });

  const SIX_LINES = "1\n2\n3\n4\n5\n6";

  test("a placeholder is one character for the cursor", async () => {
    pty.type("x");
    pty.paste(SIX_LINES);
    await pty.waitFor("alice> x[pasted 6 lines]");
    pty.press("backspace");
    await pty.waitFor((p) => p.screen.join("|") === "alice> x");
    pty.paste(SIX_LINES);
    pty.press("left");
    pty.type("y\r");
    expect(await lastText()).toBe(`xy${SIX_LINES}`);
  });

  test("a few lines are shown as they are, and sent only by Enter", async () => {
    pty.type("see ");
    pty.paste("one\ntwo\nthree\n");
    await pty.waitFor((p) => p.screen.join("|") === "alice> see one|… two|… three");
    expect(noted()).toEqual([]);
    pty.press("enter");
    expect(await events(1)).toEqual([message("see one\ntwo\nthree")]);
  });

  test("a sent paste can be read on the screen, or its first rows when it is long", async () => {
    pty.paste(SIX_LINES);
    pty.type(" end\r");
    await pty.waitFor("alice> 1\n… 2\n… 3\n… 4\n… 5\n… 6 end\nalice>");
    pty.paste(Array.from({ length: 100 }, (_, n) => `line ${n}`).join("\n"));
    pty.press("enter");
    await pty.waitFor(/… line 39\n… \[60 more lines\]\nalice>$/);
  });

  test("Up does not replace a draft that contains a paste", async () => {
    pty.type("earlier\r");
    await events(1);
    pty.paste("one\ntwo");
    pty.press("up", "up", "up");
    pty.type("!\r");
    expect((await events(2))[1]).toEqual(message("one!\ntwo"));
  });

  test("a pasted text that is cut and inserted again still is not a command", async () => {
    pty.paste("/exit\nnow");
    pty.press("ctrl-u", "ctrl-y", "enter");
    expect(await events(1)).toEqual([message("/exit\nnow", { literal: true })]);
  });

  test("a megabyte is read within seconds", async () => {
    const text = Array.from({ length: 16_384 }, (_, n) => `line ${n}`.padEnd(63, ".")).join("\n");
    pty.paste(text);
    await pty.waitFor("[pasted 16384 lines]");
    pty.press("enter");
    // Not toBe: the difference of two such texts would take minutes to print.
    expect((await lastText()) === text).toBe(true);
  });
});

describe("editing", () => {
  beforeEach(() => start());

  test.each([
    ["Left, Backspace and Delete", "abcde\x1b[D\x1b[D\x7f\x1b[3~", "abe"],
    ["Home and End", "bc\x1b[Ha\x1b[Fd", "abcd"],
    ["Ctrl-A, Ctrl-E, Ctrl-B and Ctrl-F", "b\x01a\x05d\x02c\x06e", "abcde"],
    ["Ctrl-W and Ctrl-Y", "one two\x17three \x19", "one three two"],
    ["Ctrl-U", "one two\x15three", "three"],
    ["Ctrl-K", "one two\x01\x06\x06\x06\x0b", "one"],
    ["Alt-B, Alt-D and Alt-F", "one two three\x1bb\x1bb\x1bd\x1bf!", "one  three!"],
    ["Alt-Backspace", "one two\x1b\x7fthree", "one three"],
    ["Ctrl-Left and Ctrl-Right", "one two\x1b[1;5D\x1b[1;5Dx\x1b[1;5Cy", "xoney two"],
    ["Ctrl-D in a line", "abc\x01\x04", "bc"],
    ["Backspace after a family", "a👩‍👩‍👧\x7fb", "ab"],
    ["Backspace after a letter with its mark", "ae\u0301\x7fb", "ab"],
    ["Up and Down in a message of several lines", "one\ntwo\x1b[Ax\x1b[By", "onex\ntwoy"],
  ])("%s", async (_, keys, expected) => {
    pty.type(`${keys}\r`);
    expect(await lastText()).toBe(expected);
  });

  test("Ctrl-L clears the screen and keeps the draft", async () => {
    pty.type("/print above\r");
    await pty.waitFor((p) => p.screen.at(-2) === "above");
    pty.type("half");
    pty.press("ctrl-l");
    await pty.waitFor((p) => p.screen.join("|") === "alice> half");
    pty.type(" whole\r");
    await pty.waitFor(() => noted().at(-1)?.text === "half whole");
  });

  test("Tab completes the common start, lists the candidates, and completes the only one", async () => {
    pty.type("/u\t");
    await pty.waitFor((p) => p.screen.join("|") === "alice> /user");
    pty.press("tab");
    await pty.waitFor((p) => p.screen.join("|") === "  /user alice  /user bob|alice> /user");
    pty.type("b\t");
    await pty.waitFor((p) => p.screen.at(-1) === "alice> /user bob");
  });

  test("the list of Tab breaks between candidates, never inside one", async () => {
    await pty.close();
    await start({ columns: 24 });
    pty.type("/\t");
    await pty.waitFor(
      (p) => p.screen.join("|") === "  /print  /user alice|  /user bob  /stream|alice> /",
    );
  });

  test("a completion that arrives after further typing is ignored", async () => {
    pty.type("/slow\t");
    await pty.waitFor("/slowly");
    pty.press("ctrl-u");
    pty.type("/slow\tx");
    await pty.waitFor((p) => p.screen.at(-1) === "alice> /slowx");
    pty.press("enter");
    expect(await lastText()).toBe("/slowx");
  });
});

describe("interrupts and the end", () => {
  beforeEach(() => start());

  test("Ctrl-C clears the draft and reports an interrupt", async () => {
    pty.type("half\x03");
    expect(await events(1)).toEqual([{ type: "interrupt", key: "ctrl-c", hasDraft: true }]);
    await pty.waitFor((p) => p.screen.join("|") === "alice>");
    pty.press("ctrl-c");
    expect((await events(2))[1]).toEqual({ type: "interrupt", key: "ctrl-c", hasDraft: false });
  });

  test("Escape reports an interrupt, and Alt keys stay Alt keys", async () => {
    pty.type("one two\x1bb");
    await pty.waitFor((p) => p.cursor.column === 11);
    pty.press("escape");
    expect(await events(1)).toEqual([{ type: "interrupt", key: "escape", hasDraft: true }]);
    pty.press("enter");
    expect((await events(2))[1]).toEqual(message("one two"));
  });

  test("Ctrl-D on an empty line ends the input and leaves no prompt on the screen", async () => {
    pty.type("last\r");
    await events(1);
    pty.press("ctrl-d");
    expect(await pty.exited).toMatchObject({ exitCode: 0 });
    expect(noted().at(-1)).toEqual({ type: "end" });
    expect(pty.screen).toEqual(["alice> last"]);
  });
});

describe("earlier input", () => {
  beforeEach(() => start());

  test("Up and Down show whole earlier messages and return to the draft", async () => {
    pty.type("first\rone\ntwo\rdra");
    await pty.waitFor(/alice> dra$/);
    pty.press("up");
    await pty.waitFor(/alice> one\n… two$/);
    pty.press("up", "up");
    await pty.waitFor(/alice> first$/);
    pty.press("down", "down", "down");
    await pty.waitFor(/alice> dra$/);
    pty.press("up", "enter");
    await pty.waitFor(() => noted().length === 3);
    expect(noted().map(({ text }) => text)).toEqual(["first", "one\ntwo", "one\ntwo"]);
  });

  test("a literal message is still literal when recalled", async () => {
    pty.paste("/exit\nnow");
    pty.press("enter");
    await events(1);
    pty.press("up", "enter");
    expect((await events(2))[1]).toEqual(message("/exit\nnow", { literal: true }));
  });

  test("Ctrl-R searches while one types, again finds an older match, and Enter sends it", async () => {
    pty.type("green apple\rred apple\rpear\rdraft\x12app");
    await pty.waitFor(/\(search\) app: red apple$/);
    pty.press("ctrl-r");
    await pty.waitFor(/\(search\) app: green apple$/);
    pty.press("enter");
    expect((await events(4))[3]).toEqual(message("green apple"));
  });

  test("Escape ends a search with the earlier draft, an arrow key with the match", async () => {
    pty.type("apple\rdraft\x12app");
    await pty.waitFor("(search) app: apple");
    pty.press("escape");
    await pty.waitFor(/alice> draft$/);
    pty.type("\x12app\x1b[D!");
    await pty.waitFor(/alice> appl!e$/);
  });

  test("a search without a match says so, and Enter does not send the hidden draft", async () => {
    pty.type("apple\rdraft\x12pear");
    await pty.waitFor("(no match) pear:");
    pty.type("\r");
    await pty.waitFor(/alice> draft$/);
    expect(noted()).toEqual([message("apple")]);
  });

  test("is kept after the program ends", async () => {
    pty.type("one\ntwo\r\x04");
    await pty.exited;
    await start();
    pty.press("up");
    await pty.waitFor(/alice> one\n… two$/);
  });
});

describe("a switch of user", () => {
  beforeEach(() => start());

  test("puts the draft, earlier input, searches and cut text away with their owner", async () => {
    pty.type("secret of alice\r/user bob\r");
    await pty.waitFor(/bob>$/);
    pty.type("bob was here\r/user alice\r");
    await pty.waitFor(/alice>$/);
    pty.type("half of alice");
    pty.press("ctrl-u");
    pty.type("/user bob\r");
    await pty.waitFor(/bob>$/);
    pty.press("ctrl-y");
    pty.press("up");
    await pty.waitFor(/bob> \/user alice$/);
    pty.press("up", "up", "up");
    await pty.waitFor(/bob> bob was here$/);
    pty.type("\x12secret");
    await pty.waitFor(/\(no match\) secret:$/);
    pty.press("escape");
    await pty.waitFor(/bob> bob was here$/);
    pty.press("ctrl-u");
    pty.type("/user alice\r");
    await pty.waitFor(/alice>$/);
    pty.press("ctrl-y");
    await pty.waitFor(/alice> half of alice$/);
  });

  test("applies to the very next line, and each message names the user who typed it", async () => {
    pty.type("/user bob\rfrom bob\rhalf of bob");
    expect((await events(2))[1]).toEqual(message("from bob", { owner: "bob" }));
    await pty.waitFor(/bob> half of bob$/);
  });
});

describe("printing while someone types", () => {
  test("keeps output and draft whole at 40 columns, with wide characters and several rows", async () => {
    await start({ columns: 40, rows: 12 });
    pty.type("/later 你好世界你好世界你好世界你好世界你好世界你好世界 and 👩‍👩‍👧 a tail\r");
    const [, { pid }] = (await events(2)) as [Noted, { type: string; pid: number }];
    pty.type("宽字符宽字符宽字符宽字符宽字符宽字符宽字符 typed\nsecond");
    await pty.waitFor(/second$/);
    const before = pty.screen.slice(-3);
    expect(before.join("")).toBe("alice> 宽字符宽字符宽字符宽字符宽字符宽字符宽字符 typed… second");
    process.kill(pid, "SIGUSR2");
    await pty.waitFor("a tail\nalice>");
    expect(pty.screen.slice(-3)).toEqual(before);
    expect(pty.screen.slice(0, -3).join("")).toContain(
      "世界你好世界你好世界你好世界你好世界 and 👩‍👩‍👧 a tail",
    );
    pty.press("enter");
    await pty.waitFor(() => noted().length === 3);
    expect(noted()[2]?.text).toBe("宽字符宽字符宽字符宽字符宽字符宽字符宽字符 typed\nsecond");
  });

  test("shows unfinished rows above the prompt until they are replaced, and messages above them", async () => {
    await start();
    pty.type("/open The answer\r");
    await pty.waitFor(/The answer\nalice>$/);
    pty.type("/open The answer is 42\r");
    await pty.waitFor(/^alice> \/open The answer\nalice> .*\nThe answer is 42\nalice>$/);
    pty.type("/print certain\r");
    await pty.waitFor(/\ncertain\nThe answer is 42\nalice>$/);
  });

  test("leaves the cursor where it was", async () => {
    await start({ columns: 40 });
    pty.type("/later printed\r");
    const [, { pid }] = (await events(2)) as [Noted, { type: string; pid: number }];
    pty.type(`${"宽".repeat(30)}abc\x1b[D\x1b[D\x1b[D`);
    await pty.waitFor("abc");
    const { column } = pty.cursor;
    process.kill(pid, "SIGUSR2");
    await pty.waitFor(/printed\n/);
    expect(pty.cursor.column).toBe(column);
    pty.type("X\r");
    await pty.waitFor(() => noted().length === 3);
    expect(noted()[2]?.text).toBe(`${"宽".repeat(30)}Xabc`);
  });

  test("scrolls a message taller than the terminal, and shows it whole when it is sent", async () => {
    await start({ rows: 6 });
    pty.type("/print first\r");
    await events(1);
    pty.type(Array.from({ length: 15 }, (_, n) => `line ${n}`).join("\n"));
    await pty.waitFor(/line 10\n… line 11\n… line 12\n… line 13\n… line 14$/);
    pty.press(...Array.from({ length: 14 }, () => "up" as const));
    await pty.waitFor(/^alice> line 0\n/);
    pty.press("enter");
    await pty.waitFor((p) => p.everything.at(-2) === "… line 14");
    expect(pty.everything.slice(0, 4)).toEqual([
      "alice> /print first",
      "first",
      "alice> line 0",
      "… line 1",
    ]);
  });
});

describe("a terminal that is resized", () => {
  test("shows the same draft, and loses no printed row", async () => {
    await start({ columns: 80 });
    pty.type("/print kept above\r");
    await pty.waitFor(/kept above\nalice>$/);
    const text = "0123456789".repeat(5);
    pty.type(text);
    await pty.waitFor(text);
    pty.resize(30, 20);
    await pty.waitFor((p) => p.screen.slice(-2).join("") === `alice> ${text}`);
    pty.resize(100, 20);
    await pty.waitFor((p) => p.screen.at(-1) === `alice> ${text}`);
    expect(pty.screen.filter((row) => row === "kept above")).toHaveLength(1);
    pty.press("enter");
    await pty.waitFor(() => noted().at(-1)?.text === text);
  });
});

describe("suspending and resuming", () => {
  test("gives a question the terminal, then shows what was printed meanwhile", async () => {
    await start();
    pty.type("/ask\r");
    await pty.waitFor("sure?");
    expect(pty.bracketedPaste).toBe(false);
    pty.type("yes\r");
    await pty.waitFor(/printed while away\nalice>$/);
    expect(pty.bracketedPaste).toBe(true);
    expect((await events(2))[1]).toEqual({ type: "answer", text: "yes" });
    pty.paste("a\nb");
    pty.press("enter");
    expect((await events(3))[2]).toEqual(message("a\nb"));
  });
});

describe("a process that another one stopped", () => {
  test("has its modes and its prompt again when it continues, and survives Ctrl-C", async () => {
    const script = `set -m; "${process.execPath}" "${program}" "${folder}"; stty sane; echo stopped; fg`;
    await start({ file: "/bin/sh", args: ["-c", script] });
    pty.type("/later x\r");
    const [, { pid }] = (await events(2)) as [Noted, { type: string; pid: number }];
    pty.type("half");
    await pty.waitFor(/alice> half$/);
    process.kill(pid, "SIGSTOP");
    await pty.waitFor(/stopped\n.*\nalice> half$/s);
    pty.type(" typed\r");
    await pty.waitFor(() => noted().at(-1)?.text === "half typed");
    pty.press("ctrl-c");
    await pty.waitFor(() => noted().at(-1)?.type === "interrupt");
    expect(pty.bracketedPaste).toBe(true);
    pty.paste("one\ntwo");
    pty.press("enter");
    await pty.waitFor(() => noted().at(-1)?.text === "one\ntwo");
  });
});

describe("an external editor", () => {
  /** An editor that runs this script, with the file's name in `$file`. */
  function fakeEditor(script: string): string {
    const file = path.join(folder, "editor.sh");
    writeFileSync(file, `#!/bin/sh\nfor file; do :; done\n${script}\n`);
    chmodSync(file, 0o700);
    return file;
  }

  test("Ctrl-G opens VISUAL on the draft, in a private file that is deleted afterwards", async () => {
    const seen = path.join(folder, "seen");
    const editor = fakeEditor(
      `ls -l "$file" | cut -c1-10 > ${seen}; ls -ld "$(dirname "$file")" | cut -c1-10 >> ${seen}
       echo "$file" >> ${seen}; cat "$file" >> ${seen}; printf 'edited\\ntext\\n' > "$file"`,
    );
    await start({ env: { VISUAL: `${editor} --wait`, EDITOR: "false", TMPDIR: folder } });
    pty.type("one\ntwo\x07");
    await pty.waitFor(/alice> edited\n… text$/);
    const [fileMode, folderMode, file = "", ...content] = readFileSync(seen, "utf8").split("\n");
    expect([fileMode, folderMode]).toEqual(["-rw-------", "drwx------"]);
    expect(content).toEqual(["one", "two"]);
    expect(existsSync(path.dirname(file))).toBe(false);
    expect(noted()).toEqual([]);
    pty.press("enter");
    expect(await events(1)).toEqual([message("edited\ntext")]);
  });

  test("leaves the text unchanged when it fails", async () => {
    await start({ env: { EDITOR: "false" } });
    pty.type("kept\x07");
    await pty.waitFor(/The editor "false" failed; the text is unchanged\.\nalice> kept$/);
  });

  test("never turns a pasted text into a command", async () => {
    await start({ env: { EDITOR: "true" } });
    pty.paste("/exit\nnow");
    pty.press("ctrl-g");
    await pty.waitFor(/alice> """\n… \/exit\n… now\n… """$/);
    pty.press("enter");
    expect(await events(1)).toEqual([message("/exit\nnow", { literal: true })]);
  });

  test("edit() returns the saved text", async () => {
    await start({ env: { EDITOR: fakeEditor(`echo more >> "$file"`) } });
    pty.type("/edit text \r");
    expect((await events(2))[1]).toEqual({ type: "edited", text: "text more" });
  });
});

describe("the terminal's modes are restored", () => {
  const PASTE_OFF = "\x1b[?2004l";

  /** Runs the program in a shell, which then prints the terminal's modes and waits. */
  async function startInShell(): Promise<void> {
    const script = `"${process.execPath}" "${program}" "${folder}"; stty -a; echo left; read -r _`;
    await start({ file: "/bin/sh", args: ["-c", script], columns: 200 });
  }

  async function expectOrder(): Promise<void> {
    await pty.waitFor(/^left$/m);
    expect(pty.bracketedPaste).toBe(false);
    expect(pty.raw.lastIndexOf(PASTE_OFF)).toBeGreaterThan(pty.raw.lastIndexOf("\x1b[?2004h"));
    expect(pty.raw.lastIndexOf("\x1b[?25h")).toBeGreaterThan(pty.raw.lastIndexOf("\x1b[?25l"));
    expect(pty.screen.join(" ")).toMatch(/ icanon .* echo /);
  }

  test.each([
    ["after close", "/exit\r"],
    ["after Ctrl-D", "\x04"],
    ["after a crash", "/crash\r"],
  ])("%s", async (_, keys) => {
    await startInShell();
    pty.type(keys);
    await expectOrder();
  });

  // Not SIGINT: it would end the shell too.
  test.each(["SIGTERM", "SIGHUP"] as const)("on %s", async (signal) => {
    await startInShell();
    pty.type("/later x\r");
    const [, { pid }] = (await events(2)) as [Noted, { type: string; pid: number }];
    pty.type("half");
    await pty.waitFor("half");
    process.kill(pid, signal);
    await expectOrder();
  });

  test.each([
    ["SIGTERM", 15],
    ["SIGHUP", 1],
    ["SIGINT", 2],
  ] as const)("by a process that is killed by %s and reports it", async (name, signal) => {
    await start();
    pty.kill(name);
    expect(await pty.exited).toMatchObject({ signal });
  });
});

test("stored input is private", async () => {
  await start();
  pty.type("hello\r");
  await events(1);
  const input = path.join(folder, "input");
  await pty.waitFor(() => existsSync(input));
  expect(statSync(input).mode & 0o777).toBe(0o700);
});
