import type { ServerResponse } from "node:http";
import type { Exchange } from "./exchange.js";
import { ReplyStream } from "./reply-stream.js";

/** Milliseconds. What stands in front of a server hangs up on a silent answer, most after 30 or 60 seconds. */
const LONGEST_SILENCE = 15_000;

const HEADERS = {
  "content-type": "text/event-stream",
  // Whoever compresses or rewrites what passes would hold the events back.
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
};

/** Server-sent events (WHATWG HTML, section 9.2). A comment breaks the silence while there is nothing to tell. */
export class EventStream extends ReplyStream {
  readonly #response: ServerResponse & { flush?: () => void };

  constructor(exchange: Exchange, patience: number) {
    super(exchange, { patience, headers: HEADERS });
    this.#response = exchange.response;
    const timer = setInterval(() => this.#breakSilence(), LONGEST_SILENCE);
    void exchange.closed.then(() => clearInterval(timer));
  }

  protected override send(text: string): boolean {
    const hasRoom = super.send(text);
    // What compresses all the same has this for events that cannot wait.
    this.#response.flush?.();
    return hasRoom;
  }

  #breakSilence(): void {
    const { writableEnded, writableNeedDrain, destroyed } = this.#response;
    if (!writableEnded && !writableNeedDrain && !destroyed) this.send(":\n\n");
  }
}
