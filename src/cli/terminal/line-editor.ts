import { asAgnoChatError } from "../../errors.js";
import type { Awaitable } from "../../memory/memory.js";
import { sanitise, singleLine } from "../../sanitise.js";
import type { Unfinished } from "../render/live-text.js";
import { asBlock, looksLikeCommand } from "./block.js";
import { editExternally } from "./external-editor.js";
import { isTerminalThere } from "./gone-terminal.js";
import type { InputHistory } from "./input-history.js";
import { Desk } from "./input-state.js";
import type { Key } from "./key-names.js";
import { KeyDecoder } from "./keys.js";
import { type Terminal, TerminalModes } from "./modes.js";
import { LARGEST_PASTE } from "./paste-reader.js";
import { Screen, type View } from "./terminal-screen.js";
import { wrapRows } from "./text.js";
import { typedAhead } from "./typed-ahead.js";

export interface LineEditorOptions extends Terminal {
  readonly env: NodeJS.ProcessEnv;
  /** May hold SGR colour, no line end. */
  readonly prompt: string;
  readonly owner: string;
  readonly history: InputHistory;
  /** What could stand in place of `text`, which is all that is left of the cursor. Asked on Tab. */
  readonly complete: (text: string) => Awaitable<readonly string[]>;
  /** What of a message goes into whose history, when that is not all of it into its owner's. */
  readonly keep?: (text: string) => KeptInput | "nothing" | undefined;
}

export interface KeptInput {
  readonly text: string;
  readonly history: InputHistory;
}

export interface SentMessage {
  readonly type: "message";
  /** Whole; it may hold line feeds. */
  readonly text: string;
  /** Who was typing when it was sent. */
  readonly owner: string;
  /** It is text whatever it begins with, since that came from a paste or a block. */
  readonly literal: boolean;
}

export interface Interrupt {
  readonly type: "interrupt";
  readonly key: "ctrl-c" | "escape";
  /** A message is half typed. Ctrl-C clears it, unless the listener answers `true`: then it was for something else. */
  readonly hasDraft: boolean;
}

export type LineEvent = SentMessage | Interrupt | { readonly type: "end" };

const MAX_CANDIDATES_SHOWN = 60;

/** Keeps a remark from passing for a prompt. */
const INDENT = "  ";

/** What may end a message, or stop one. */
const HEARD_KEYS: ReadonlySet<string> = new Set(["return", "ctrl-c", "ctrl-d"]);

const GIVE_UP_SEARCH: ReadonlySet<string> = new Set(["escape", "ctrl-c", "ctrl-g"]);

/**
 * Reads messages from a terminal, while others print above what is being typed. It begins without the terminal:
 * `resume` takes it.
 */
export class LineEditor {
  readonly #options: LineEditorOptions;
  readonly #screen: Screen;
  readonly #modes: TerminalModes;
  readonly #keys: KeyDecoder;
  readonly #held: (() => void)[] = [];
  readonly #desks = new Map<string, Desk>();
  readonly #onData = (chunk: Buffer): void => this.#keys.write(chunk);
  readonly #onEnd = (): void => this.close();
  readonly #onResize = (): void => this.#screen.resized(this.#view);
  readonly #commands: Readonly<Record<string, () => void>> = {
    return: () => this.#enter(),
    "ctrl-c": () => this.#interrupt("ctrl-c"),
    escape: () => this.#interrupt("escape"),
    "ctrl-d": () => this.#endOrDelete(),
    "ctrl-g": () => void this.#editDraft(),
    "ctrl-l": () => this.#screen.clear(),
    "ctrl-r": () => this.#desk.search(),
    "ctrl-z": () => this.#stopProcess(),
    tab: () => this.#complete(),
    up: () => this.#desk.older(),
    "ctrl-p": () => this.#desk.older(),
    down: () => this.#desk.newer(),
    "ctrl-n": () => this.#desk.newer(),
  };
  #prompt: string;
  #busyPrompt: string;
  #desk: Desk;
  #listener: ((event: LineEvent) => unknown) | undefined;
  #active = false;
  #closed = false;
  #unprinted: { rows: string; unfinished?: Unfinished | undefined } = { rows: "" };
  /** Ends an editor that has the terminal. */
  readonly #end = new AbortController();

  constructor(options: LineEditorOptions) {
    this.#options = options;
    this.#screen = new Screen(options.output);
    this.#modes = new TerminalModes(options, () => {
      this.#screen.forget();
      this.#show();
    });
    // Also while a question has the terminal: nobody else would hear that it is gone.
    options.input.on("error", this.#onEnd);
    this.#prompt = options.prompt;
    this.#busyPrompt = options.prompt;
    this.#desk = new Desk(options.owner, options.history);
    this.#keys = new KeyDecoder({
      key: (key) => this.#act(() => this.#key(key), HEARD_KEYS.has(key.name)),
      paste: (text, isCut) => this.#act(() => this.#paste(text, isCut)),
      idle: () => this.#show(),
      cursorAt: (column) => this.#screen.located(column),
    });
  }

  /**
   * Hands everything the user does to `listener` at the moment it is done, so that a switch of user reaches the very next
   * key. What was typed before anybody listened is done now.
   */
  listen(listener: (event: LineEvent) => unknown): void {
    this.#listener = listener;
    for (const action of this.#held.splice(0)) action();
    this.#show();
    if (this.#closed) this.#tellEnd();
  }

  /** @param busy Stands in its place while something goes on; what is sent then is left behind the prompt itself. */
  setPrompt(prompt: string, busy = prompt): void {
    this.#prompt = prompt;
    this.#busyPrompt = busy;
    this.#show();
  }

  /** Puts `text`, which was sent and not done, in front of what `owner` is typing or had half typed. */
  giveBack(text: string, { owner, history }: { owner: string; history: InputHistory }): void {
    const isHere = owner === this.#desk.owner;
    const desk = isHere ? this.#desk : (this.#desks.get(owner) ?? new Desk(owner, history));
    desk.prepend(text);
    if (!isHere) this.#desks.set(owner, desk);
    this.#show();
  }

  /** Puts away what is half typed until its owner is back, and goes on where `owner` left off. */
  setOwner(owner: string, history: InputHistory): void {
    if (this.#desk.isBare) this.#desks.delete(this.#desk.owner);
    else this.#desks.set(this.#desk.owner, this.#desk);
    this.#desk = this.#desks.get(owner) ?? new Desk(owner, history);
    this.#desk.history = history;
    this.#show();
  }

  /** Writes safe rows above what is being typed; between them stands what is `unfinished`, until it is told anew. */
  print(rows: string, unfinished?: Unfinished): void {
    if (this.#active) return this.#screen.print(rows, unfinished);
    this.#unprinted.rows += rows;
    this.#unprinted.unfinished = unfinished ?? this.#unprinted.unfinished;
  }

  /** Gives the terminal away, in the modes it came in. What is printed meanwhile follows on `resume`. */
  suspend(): void {
    if (!this.#active) return;
    this.#active = false;
    if (this.#isThere) this.#screen.hide();
    this.#modes.leave();
    const { input, output } = this.#options;
    input.off("data", this.#onData).off("end", this.#onEnd);
    output.off("resize", this.#onResize);
    input.pause();
  }

  /** Takes the terminal, and shows the prompt and what is half typed. */
  resume(): void {
    if (this.#active || this.#closed) return;
    this.#active = true;
    const { input, output } = this.#options;
    this.#modes.enter();
    const early = typedAhead();
    input.on("data", this.#onData).on("end", this.#onEnd);
    output.on("resize", this.#onResize);
    input.resume();
    this.#screen.print(this.#unprinted.rows, this.#unprinted.unfinished);
    this.#unprinted = { rows: "" };
    this.#show();
    this.#keys.write(early);
  }

  /**
   * Opens `text` in the user's editor and answers what was saved there.
   * @throws {AgnoChatError} `INVALID_INPUT` when the editor failed
   */
  async edit(text: string): Promise<string> {
    this.suspend();
    try {
      return await editExternally(text, { env: this.#options.env, signal: this.#end.signal });
    } finally {
      this.resume();
    }
  }

  /** Gives the terminal back for good, and says "end". */
  close(): void {
    if (this.#closed) return;
    if (this.#active && this.#isThere && !this.#desk.draft.isEmpty) this.#leaveBehind();
    this.suspend();
    this.#closed = true;
    this.#end.abort();
    this.#tellEnd();
  }

  /** Nothing is written to a terminal that is gone. */
  get #isThere(): boolean {
    return isTerminalThere(this.#options.output.fd);
  }

  #tellEnd(): void {
    this.#listener?.({ type: "end" });
  }

  /** Before anybody listens, the first thing that would be heard waits, and all that follows it. */
  #act(action: () => void, isHeard = false): void {
    if (this.#listener === undefined && (isHeard || this.#held.length > 0)) this.#held.push(action);
    else action();
  }

  #show(): void {
    if (this.#active) this.#screen.show(this.#view);
  }

  get #view(): View {
    return this.#desk.view(this.#busyPrompt, this.#screen.columns);
  }

  #leaveBehind(): void {
    this.#screen.commit(this.#desk.view(this.#prompt, this.#screen.columns).rows);
  }

  #key(key: Key): void {
    if (!this.#active) return;
    this.#tolerate(() => {
      if (this.#desk.isSearching && this.#searchKey(key)) return;
      const command = this.#commands[key.name];
      if (command === undefined) this.#desk.edit(key);
      else command();
    });
  }

  #paste(text: string, isCut: boolean): void {
    this.#desk.paste(text);
    if (isCut)
      this.#note(`Pasted the first ${LARGEST_PASTE / 1024 ** 2} MiB; the rest was left out.`);
  }

  #searchKey(key: Key): boolean {
    if (key.name === "ctrl-r" || this.#desk.searchKey(key)) {
      if (key.name === "ctrl-r") this.#desk.search();
      return true;
    }
    const gaveUp = GIVE_UP_SEARCH.has(key.name);
    return !this.#desk.endSearch(!gaveUp) || gaveUp;
  }

  #enter(): void {
    const desk = this.#desk;
    if (desk.continueOnNextLine()) return;
    const { text, literal } = desk.draft.message;
    if (text.trim() === "") return desk.clear();
    this.#screen.commit(desk.transcript(this.#prompt, this.#screen.columns));
    desk.clear();
    const { owner } = desk;
    try {
      this.#remember(text, literal);
    } finally {
      // A history that cannot be written costs no message. It comes first, since a switch changes the desk.
      this.#listener?.({ type: "message", text, owner, literal });
    }
  }

  #remember(text: string, literal: boolean): void {
    const elsewhere = literal ? undefined : this.#options.keep?.(text);
    if (elsewhere === "nothing") return;
    if (elsewhere !== undefined) elsewhere.history.add(elsewhere.text);
    else this.#desk.history.add(literal && looksLikeCommand(text) ? asBlock(text) : text);
  }

  #interrupt(key: Interrupt["key"]): void {
    const hasDraft = !this.#desk.draft.isEmpty;
    const wasForSomethingElse = this.#listener?.({ type: "interrupt", key, hasDraft }) === true;
    if (key === "ctrl-c" && !wasForSomethingElse) this.#desk.clear();
  }

  #endOrDelete(): void {
    if (this.#desk.draft.isEmpty) this.close();
    else this.#desk.draft.deleteRight();
  }

  /** The whole group, as the terminal itself does: whoever started this process stops as well. */
  #stopProcess(): void {
    if (process.platform === "win32") return;
    this.suspend();
    process.kill(0, "SIGTSTP");
    setImmediate(() => this.resume());
  }

  async #editDraft(): Promise<void> {
    const desk = this.#desk;
    const { text, literal } = desk.draft.message;
    try {
      desk.replace(await this.edit(text), literal);
    } catch (error) {
      this.#note(asAgnoChatError(error).message);
    }
    this.#show();
  }

  #complete(): void {
    const { draft } = this.#desk;
    const typed = draft.beforeCursor;
    const found = this.#options.complete(typed);
    const offer = (candidates: readonly string[]): void => {
      // Whoever typed on meanwhile has moved past the question.
      if (this.#desk.draft === draft && draft.beforeCursor === typed) this.#offer(candidates);
    };
    if (!(found instanceof Promise)) return offer(found);
    found.then(offer).catch((error) => this.#note(asAgnoChatError(error).message));
  }

  #offer(candidates: readonly string[]): void {
    const { draft } = this.#desk;
    const common = commonStart(candidates);
    if (candidates.length === 1 || common.length > draft.beforeCursor.length)
      draft.replaceBeforeCursor(common);
    else if (candidates.length > 1) this.#note(listed(candidates));
    this.#show();
  }

  #tolerate(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#note(asAgnoChatError(error).message);
    }
  }

  /** A line above what is being typed, and above a line that is still being printed. */
  #note(text: string): void {
    const rows = wrapRows(sanitise(text), this.#screen.columns - INDENT.length);
    if (this.#active) this.#screen.commit(rows.map((row) => INDENT + row));
    this.#show();
  }
}

function commonStart([first = "", ...others]: readonly string[]): string {
  let length = first.length;
  while (!others.every((other) => other.startsWith(first.slice(0, length)))) length--;
  return first.slice(0, length);
}

function listed(candidates: readonly string[]): string {
  const shown = candidates.slice(0, MAX_CANDIDATES_SHOWN).map((text) => singleLine(text, 60));
  const more = candidates.length - shown.length;
  return shown.join("  ") + (more > 0 ? `  … ${more} more` : "");
}
