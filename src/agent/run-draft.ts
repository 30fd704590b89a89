import type { AttachedFiles } from "../attachments.js";
import {
  type AssistantMessage,
  type Attachment,
  attachedMessage,
  type Message,
  type NewMessage,
  type StoredFields,
  type ToolMessage,
  type Usage,
} from "../messages.js";
import type { Reply } from "./ask-model.js";
import type { StateChanges } from "./run-state.js";

interface Round {
  readonly messages: readonly [NewMessage & AssistantMessage, ...ToolMessage[]];
  readonly changes: StateChanges;
}

/**
 * The messages of a run under way. Nothing is stored until the run ends. What a model does to the
 * messages that it is sent changes nothing of what is stored: they are made for each request, or
 * frozen.
 */
export class RunDraft {
  readonly #input: string;
  readonly #attachments: readonly Attachment[] | undefined;
  readonly #modelName: string;
  readonly #rounds: Round[] = [];
  /** Set by `finish` or `interrupt`. */
  #final!: AssistantDraft;

  constructor(input: string, modelName: string, files?: AttachedFiles) {
    this.#input = input;
    this.#attachments = files?.attachments;
    this.#modelName = modelName;
  }

  /** What the model is sent of this run, after its history. */
  get messages(): readonly Message[] {
    const user = attachedMessage(this.#input, this.#attachments);
    if (this.#rounds.length === 0) return [user];
    return [user, ...this.#rounds.flatMap((round) => round.messages)];
  }

  /** What is stored under this run id, once the run has ended. */
  messagesOf(runId: string): readonly NewMessage[] {
    const user = this.#userOf(runId);
    const final = this.#final;
    final.runId = runId;
    if (this.#rounds.length === 0) return [user, final];
    const rounds = this.#rounds.flatMap(({ messages }) =>
      messages.map((message) => ({ ...message, runId })),
    );
    return [user, ...rounds, final];
  }

  #userOf(runId: string): NewMessage {
    const content = this.#input;
    const attachments = this.#attachments;
    return attachments === undefined
      ? { role: "user", content, runId }
      : { role: "user", content, attachments, runId };
  }

  get usedTools(): boolean {
    return this.#rounds.length > 0;
  }

  /** The state changes of the rounds that are kept. */
  get changes(): StateChanges | undefined {
    return this.#rounds.at(-1)?.changes;
  }

  get usage(): Usage | undefined {
    if (this.#rounds.length === 0) return this.#final.usage;
    return this.#rounds.reduceRight(
      (total, { messages: [{ usage }] }) => sumOfUsage(usage, total),
      this.#final.usage,
    );
  }

  /** Adds a reply that called tools, and their results in the order of the calls. */
  addRound(reply: Reply, results: readonly ToolMessage[], changes: StateChanges): void {
    for (const result of results) Object.freeze(result);
    this.#rounds.push({ messages: [Object.freeze(this.#assistant(reply)), ...results], changes });
  }

  /** @param historySent See `StoredFields.historySent`. */
  finish(reply: Reply, historySent: number | undefined): void {
    const message = this.#assistant(reply);
    if (historySent !== undefined) message.historySent = historySent;
    this.#final = message;
  }

  /**
   * Cuts the run back to the last text that was shown, and marks that as interrupted.
   * @returns false if no text was shown, so that there is nothing to store
   */
  interrupt(shown: string, historySent: number | undefined): boolean {
    let content = shown;
    while (content === "") {
      const round = this.#rounds.pop();
      if (round === undefined) return false;
      content = round.messages[0].content;
    }
    const message: AssistantDraft = {
      role: "assistant",
      content,
      interrupted: true,
      model: this.#modelName,
    };
    if (historySent !== undefined) message.historySent = historySent;
    this.#final = message;
    return true;
  }

  #assistant({ text, toolCalls, finishReason, usage }: Reply): AssistantDraft {
    const message: AssistantDraft = { role: "assistant", content: text, model: this.#modelName };
    if (toolCalls.length > 0) message.toolCalls = toolCalls;
    if (finishReason === "length") message.finishReason = finishReason;
    if (usage !== undefined) message.usage = usage;
    return message;
  }
}

/** Filled in key by key: spreading objects would cost as much as the rest of a run. */
type AssistantDraft = {
  -readonly [Key in keyof (AssistantMessage & StoredFields)]?: (AssistantMessage &
    StoredFields)[Key];
} & Pick<AssistantMessage, "role" | "content">;

/** Undefined only if both are. */
export function sumOfUsage(total: Usage | undefined, usage: Usage | undefined): Usage | undefined {
  if (total === undefined || usage === undefined) return total ?? usage;
  const added = {
    inputTokens: total.inputTokens + usage.inputTokens,
    outputTokens: total.outputTokens + usage.outputTokens,
  };
  return total.estimated || usage.estimated ? { ...added, estimated: true } : added;
}
