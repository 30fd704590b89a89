import { asAgnoChatError } from "../../errors.js";
import type { UserId } from "../../ids.js";
import type { Awaitable } from "../../memory/memory.js";
import { sanitise, singleLine } from "../../sanitise.js";
import type { Unfinished } from "../render/live-text.js";
import { textWidth } from "../render/width.js";
import { asBlock, looksLikeCommand } from "./block.js";
import { editExternally } from "./external-editor.js";
import { isTerminalConnected } from "./gone-terminal.js";
import type { InputBuffer } from "./input-buffer.js";
import type { InputHistory } from "./input-history.js";
import { UserInputState } from "./input-state.js";
import type { Key } from "./key-names.js";
import { KeyDecoder } from "./keys.js";
import { TerminalModes, type TerminalStreams } from "./modes.js";
import { LARGEST_PASTE } from "./paste-reader.js";
import { TerminalScreen, type View } from "./terminal-screen.js";
import { wrapRows } from "./text.js";
import { typedAhead } from "./typed-ahead.js";

export interface LineEditorOptions extends TerminalStreams {
  readonly env: NodeJS.ProcessEnv;
  /** One line. May contain SGR colours. */
  readonly prompt: string;
  readonly owner: UserId;
  readonly history: InputHistory;
  /** The possible replacements for `text`, everything before the cursor. Called on Tab. */
  readonly complete: (text: string) => Awaitable<readonly string[]>;
  /** What to add to which input history. Undefined: the whole message, to its owner's. */
  readonly keep?: (text: string) => KeptInput | "nothing" | undefined;
}

export interface KeptInput {
  readonly text: string;
  readonly history: InputHistory;
}

export interface SentMessage {
  readonly type: "message";
  /** The whole message. May contain line feeds. */
  readonly text: string;
  /** The user who was active when it was sent. */
  readonly owner: UserId;
  /** It was pasted or is a block, so it is not a command. */
  readonly literal: boolean;
}

export interface Interrupt {
  readonly type: "interrupt";
  readonly key: "ctrl-c" | "escape";
  /** Whether a message is half typed. Ctrl-C clears it, unless the listener returns `true`. */
  readonly hasDraft: boolean;
}

export type LineEvent = SentMessage | Interrupt | { readonly type: "end" };

const MAX_CANDIDATES_SHOWN = 60;

/** Indents remarks, so that none looks like a prompt. */
const INDENT = "  ";

/** Until someone listens, these keys wait, and all input after them. */
const WAITING_KEYS: ReadonlySet<string> = new Set(["return", "ctrl-c", "ctrl-d"]);

const CANCEL_SEARCH_KEYS: ReadonlySet<string> = new Set(["escape", "ctrl-c", "ctrl-g"]);

/**
 * Reads messages from a terminal while other output is printed above the text being typed. It
 * starts suspended: `resume` takes the terminal.
 */
export class LineEditor {
  readonly #options: LineEditorOptions;
  readonly #screen: TerminalScreen;
  readonly #modes: TerminalModes;
  readonly #keys: KeyDecoder;
  readonly #heldActions: (() => void)[] = [];
  readonly #otherStates = new Map<string, UserInputState>();
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
    "ctrl-r": () => this.#state.search(),
    "ctrl-z": () => this.#stopProcess(),
    tab: () => this.#complete(),
    up: () => this.#state.older(),
    "ctrl-p": () => this.#state.older(),
    down: () => this.#state.newer(),
    "ctrl-n": () => this.#state.newer(),
  };
  #prompt: string;
  #busyPrompt: string;
  #state: UserInputState;
  #listener: ((event: LineEvent) => unknown) | undefined;
  #active = false;
  #closed = false;
  #unprinted: { rows: string; unfinished?: Unfinished | undefined } = { rows: "" };
  /** Ends an external editor. */
  readonly #end = new AbortController();

  constructor(options: LineEditorOptions) {
    this.#options = options;
    this.#screen = new TerminalScreen(options.output);
    this.#modes = new TerminalModes(options, () => {
      this.#screen.forget();
      this.#show();
    });
    // Registered even while a question uses the terminal: nothing else notices its loss then.
    options.input.on("error", this.#onEnd);
    this.#prompt = options.prompt;
    this.#busyPrompt = options.prompt;
    this.#state = new UserInputState(options.owner, options.history);
    this.#keys = new KeyDecoder({
      key: (key) => this.#act(() => this.#key(key), WAITING_KEYS.has(key.name)),
      paste: (text, isCut) => this.#act(() => this.#paste(text, isCut)),
      idle: () => this.#show(),
      cursorAt: (column) => this.#screen.cursorReported(column),
    });
  }

  /**
   * Calls `listener` at once for each event, so that a switch of user applies to the very next key.
   * Then handles the input that waited for a listener.
   */
  listen(listener: (event: LineEvent) => unknown): void {
    this.#listener = listener;
    for (const action of this.#heldActions.splice(0)) action();
    this.#show();
    if (this.#closed) this.#reportEnd();
  }

  /** @param busy Shown while a reply is coming. Sent messages stay after `prompt` all the same. */
  setPrompt(prompt: string, busy = prompt): void {
    this.#prompt = prompt;
    this.#busyPrompt = busy;
    this.#show();
  }

  /**
   * Sends `text` as if it had been typed, before anything that is typed from now on. `literal`: not
   * a command.
   */
  send(text: string, literal: boolean): void {
    const state = new UserInputState(this.#state.owner, this.#state.history);
    state.replace(text, literal);
    this.#act(() => this.#noteFailure(() => this.#send(state)), true);
  }

  /** Inserts `text`, which was sent but not handled, before the draft of `owner`. */
  giveBack(text: string, { owner, history }: { owner: UserId; history: InputHistory }): void {
    const isActive = owner === this.#state.owner;
    const state = isActive ? this.#state : this.#otherState(owner, history);
    state.prepend(text);
    if (!isActive) this.#otherStates.set(owner, state);
    this.#show();
  }

  /** Puts the draft away until its owner is back, and shows the draft of `owner`. */
  setOwner(owner: UserId, history: InputHistory): void {
    if (this.#state.isEmpty) this.#otherStates.delete(this.#state.owner);
    else this.#otherStates.set(this.#state.owner, this.#state);
    this.#state = this.#otherState(owner, history);
    this.#state.history = history;
    this.#show();
  }

  /**
   * Writes safe rows above the text being typed. The rows of `unfinished` are shown between them
   * until the next call replaces it.
   */
  print(rows: string, unfinished?: Unfinished): void {
    if (this.#active) return this.#screen.print(rows, unfinished);
    this.#unprinted.rows += rows;
    this.#unprinted.unfinished = unfinished ?? this.#unprinted.unfinished;
  }

  /** Releases the terminal and restores its modes. Output printed meanwhile follows on `resume`. */
  suspend(): void {
    if (!this.#active) return;
    this.#active = false;
    if (this.#isConnected) this.#screen.hide();
    this.#modes.leave();
    const { input, output } = this.#options;
    input.off("data", this.#onData).off("end", this.#onEnd);
    output.off("resize", this.#onResize);
    input.pause();
  }

  /** Takes the terminal and shows the prompt and the draft. */
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
   * Opens `text` in the user's editor and returns the saved text.
   * @throws {AgnoChatError} `INVALID_INPUT` when the editor fails
   */
  async edit(text: string): Promise<string> {
    this.suspend();
    try {
      return await editExternally(text, { env: this.#options.env, signal: this.#end.signal });
    } finally {
      this.resume();
    }
  }

  /** Releases the terminal permanently and reports "end". */
  close(): void {
    if (this.#closed) return;
    if (this.#active && this.#isConnected && !this.#state.draft.isEmpty) this.#commitDraft();
    this.suspend();
    this.#closed = true;
    this.#end.abort();
    this.#reportEnd();
  }

  /** Nothing is written to a terminal that has gone. */
  get #isConnected(): boolean {
    return isTerminalConnected(this.#options.output.fd);
  }

  #otherState(owner: UserId, history: InputHistory): UserInputState {
    return this.#otherStates.get(owner) ?? new UserInputState(owner, history);
  }

  #reportEnd(): void {
    this.#listener?.({ type: "end" });
  }

  /** Without a listener, the first action that `mustWait` is held, and every one after it. */
  #act(action: () => void, mustWait = false): void {
    const isHeld = this.#listener === undefined && (mustWait || this.#heldActions.length > 0);
    if (isHeld) this.#heldActions.push(action);
    else action();
  }

  #show(): void {
    if (this.#active) this.#screen.show(this.#view);
  }

  get #view(): View {
    return this.#state.view(this.#busyPrompt, this.#screen.columns);
  }

  #commitDraft(): void {
    this.#screen.commit(this.#state.view(this.#prompt, this.#screen.columns).rows);
  }

  #key(key: Key): void {
    if (!this.#active) return;
    this.#noteFailure(() => {
      if (this.#state.isSearching && this.#searchKey(key)) return;
      const command = this.#commands[key.name];
      if (command === undefined) this.#state.edit(key);
      else command();
    });
  }

  #paste(text: string, isCut: boolean): void {
    this.#state.paste(text);
    if (isCut)
      void this.#note(`Pasted the first ${LARGEST_PASTE / 1024 ** 2} MiB; the rest was dropped.`);
  }

  #searchKey(key: Key): boolean {
    if (key.name === "ctrl-r" || this.#state.searchKey(key)) {
      if (key.name === "ctrl-r") this.#state.search();
      return true;
    }
    const isCancelled = CANCEL_SEARCH_KEYS.has(key.name);
    return !this.#state.endSearch(!isCancelled) || isCancelled;
  }

  #enter(): void {
    const state = this.#state;
    if (state.continueOnNextLine()) return;
    if (state.draft.message.text.trim() === "") state.clear();
    else this.#send(state);
  }

  #send(state: UserInputState): void {
    const { text, literal } = state.draft.message;
    this.#screen.commit(state.sentRows(this.#prompt, this.#screen.columns));
    state.clear();
    const { owner } = state;
    try {
      // First, since the listener may switch to another user.
      this.#remember(state, { text, literal });
    } finally {
      // The message is sent even if the history cannot be written.
      this.#listener?.({ type: "message", text, owner, literal });
    }
  }

  #remember(state: UserInputState, { text, literal }: InputBuffer["message"]): void {
    const elsewhere = literal ? undefined : this.#options.keep?.(text);
    if (elsewhere === "nothing") return;
    if (elsewhere !== undefined) elsewhere.history.add(elsewhere.text);
    else state.history.add(literal && looksLikeCommand(text) ? asBlock(text) : text);
  }

  #interrupt(key: Interrupt["key"]): void {
    const hasDraft = !this.#state.draft.isEmpty;
    const isHandled = this.#listener?.({ type: "interrupt", key, hasDraft }) === true;
    if (key === "ctrl-c" && !isHandled) this.#state.clear();
  }

  #endOrDelete(): void {
    if (this.#state.draft.isEmpty) this.close();
    else this.#state.draft.deleteRight();
  }

  /** Stops the whole process group, as a terminal does, so that the parent process stops too. */
  #stopProcess(): void {
    if (process.platform === "win32") return;
    this.suspend();
    process.kill(0, "SIGTSTP");
    setImmediate(() => this.resume());
  }

  async #editDraft(): Promise<void> {
    const state = this.#state;
    const { text, literal } = state.draft.message;
    try {
      state.replace(await this.edit(text), literal);
    } catch (error) {
      void this.#note(asAgnoChatError(error).message);
    }
    this.#show();
  }

  #complete(): void {
    const { draft } = this.#state;
    const typed = draft.beforeCursor;
    const found = this.#options.complete(typed);
    const offer = (candidates: readonly string[]): void => {
      // Ignored if the user typed on meanwhile.
      if (this.#state.draft === draft && draft.beforeCursor === typed) this.#offer(candidates);
    };
    if (!(found instanceof Promise)) return offer(found);
    found.then(offer).catch((error) => this.#note(asAgnoChatError(error).message));
  }

  #offer(candidates: readonly string[]): void {
    const { draft } = this.#state;
    const common = commonStart(candidates);
    if (candidates.length === 1 || common.length > draft.beforeCursor.length)
      draft.replaceBeforeCursor(common);
    else if (candidates.length > 1) this.#noteRows(listed(candidates, this.#roomForNotes));
    this.#show();
  }

  #noteFailure(action: () => void): void {
    try {
      action();
    } catch (error) {
      void this.#note(asAgnoChatError(error).message);
    }
  }

  /** Shows a remark above the text being typed and above a reply's unfinished rows. */
  async #note(text: string): Promise<void> {
    // Loaded for a remark alone: the prompt does not wait for it.
    const { wrapText } = await import("../render/wrap.js");
    const rows = wrapText(sanitise(text), { width: this.#roomForNotes, indent: "" });
    this.#noteRows(rows.trimEnd().split("\n"));
  }

  get #roomForNotes(): number {
    return Math.max(2, this.#screen.columns - INDENT.length);
  }

  #noteRows(rows: readonly string[]): void {
    if (this.#active) this.#screen.commit(rows.map((row) => INDENT + row));
    this.#show();
  }
}

function commonStart([first = "", ...others]: readonly string[]): string {
  let length = first.length;
  while (!others.every((other) => other.startsWith(first.slice(0, length)))) length--;
  return first.slice(0, length);
}

/** Rows of candidates, as many beside each other as fit. */
function listed(candidates: readonly string[], columns: number): string[] {
  const shown = candidates.slice(0, MAX_CANDIDATES_SHOWN).map((text) => singleLine(text, 60));
  const more = candidates.length - shown.length;
  const rows: string[] = [];
  for (const text of [...shown, ...(more > 0 ? [`… ${more} more`] : [])]) {
    const row = `${rows.at(-1)}  ${text}`;
    if (rows.length > 0 && textWidth(row) <= columns) rows[rows.length - 1] = row;
    else rows.push(...wrapRows(text, columns));
  }
  return rows;
}
