import type { ToolCall } from "../messages.js";
import type { ModelEvent } from "../models/model.js";

/** All events of a reply: copies, since a model may use one object for many. */
export async function collected(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = [];
  for await (const event of events) all.push({ ...event });
  return all;
}

/** What a model says, as its events come. */
export class Saying {
  text = "";
  readonly toolCalls: ToolCall[] = [];
  /** At the model's token limit. */
  isCut = false;

  take(event: ModelEvent): void {
    if (event.type === "text-delta") this.text += event.text;
    if (event.type === "tool-call") {
      const { id, name, arguments: text } = event;
      this.toolCalls.push({ id, name, arguments: text });
    }
    if (event.type !== "finish") return;
    this.text = event.text ?? this.text;
    this.isCut = event.reason === "length";
  }
}
