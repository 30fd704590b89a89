import type { ServerResponse } from "node:http";
import { ReplyStream } from "./reply-stream.js";
import type { RequestContext } from "./request-context.js";

/** Milliseconds. Proxies close silent connections, most of them after 30 or 60 seconds. */
const LONGEST_SILENCE = 15_000;

const HEADERS = {
  "content-type": "text/event-stream",
  // A proxy that compresses or rewrites the stream would delay the events.
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
};

/** Server-sent events (WHATWG HTML, section 9.2). A comment breaks a long silence. */
export class EventStream extends ReplyStream {
  readonly #response: ServerResponse & { flush?: () => void };

  constructor(context: RequestContext, writeTimeoutMs: number) {
    super(context, { writeTimeoutMs, headers: HEADERS });
    this.#response = context.response;
    const timer = setInterval(() => this.#breakSilence(), LONGEST_SILENCE);
    void context.closed.then(() => clearInterval(timer));
  }

  protected override send(text: string): boolean {
    const hasRoom = super.send(text);
    // Compressing middleware adds this method, for data that cannot wait.
    this.#response.flush?.();
    return hasRoom;
  }

  #breakSilence(): void {
    const { writableEnded, writableNeedDrain, destroyed } = this.#response;
    if (!writableEnded && !writableNeedDrain && !destroyed) this.send(":\n\n");
  }
}
