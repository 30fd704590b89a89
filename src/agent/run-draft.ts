import {
  type AssistantMessage,
  type NewMessage,
  type StoredFields,
  type ToolMessage,
  type Usage,
  userMessage,
} from "../messages.js";
import type { Reply } from "./ask-model.js";
import type { StateChanges } from "./run-state.js";

interface Round {
  readonly messages: readonly [NewMessage & AssistantMessage, ...ToolMessage[]];
  readonly changes: StateChanges;
}

/**
 * The messages of a run under way. Nothing is stored until the run ends. The messages are frozen,
 * because the model is sent the same objects that are stored later.
 */
export class RunDraft {
  readonly #user: NewMessage;
  readonly #modelName: string;
  readonly #rounds: Round[] = [];
  #final: NewMessage | undefined;

  constructor(input: string, modelName: string) {
    this.#user = Object.freeze(userMessage(input));
    this.#modelName = modelName;
  }

  get messages(): readonly NewMessage[] {
    const messages = [this.#user, ...this.#rounds.flatMap((round) => round.messages)];
    return this.#final === undefined ? messages : [...messages, this.#final];
  }

  /** The state changes of the rounds that are kept. */
  get changes(): StateChanges | undefined {
    return this.#rounds.at(-1)?.changes;
  }

  get usage(): Usage | undefined {
    return this.messages.map((message) => message.usage).reduce(sum, undefined);
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
    this.#final = Object.freeze(message);
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
    this.#final = Object.freeze(message);
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

function sum(total: Usage | undefined, usage: Usage | undefined): Usage | undefined {
  if (total === undefined || usage === undefined) return total ?? usage;
  const added = {
    inputTokens: total.inputTokens + usage.inputTokens,
    outputTokens: total.outputTokens + usage.outputTokens,
  };
  return total.estimated || usage.estimated ? { ...added, estimated: true } : added;
}
