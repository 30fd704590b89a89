import { AbortableWaits, limitTime } from "../abort.js";
import { AgnoChatError } from "../errors.js";
import type { StreamedAnswer, WholeAnswer } from "./answer.js";
import { hungUp, Intake, readBefore } from "./body.js";
import { type DoorParts, Exchange, type Outlet, type Receiver } from "./exchange.js";
import { RequestContext, type RequestHead, UNKNOWN_ADDRESS } from "./request-context.js";

/** What `fetch` cannot see in a `Request`. */
export interface FetchInfo {
  /** The address that the connection comes from. */
  readonly address?: string | undefined;
}

interface WebEntry {
  readonly info: FetchInfo;
  /** Called once. */
  readonly respond: (response: Response) => void;
}

/** The way in of web-standard requests. */
export class WebDoor {
  readonly #parts: DoorParts;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  enter(request: Request, { info: { address }, respond }: WebEntry): Exchange {
    const { writeTimeoutMs } = this.#parts;
    // Hosts pass something of their own as the second argument, such as the server or its bindings.
    const head = headOf(request, typeof address === "string" ? address : UNKNOWN_ADDRESS);
    const body = () =>
      readWebBody(request, { ...this.#parts, head, cancellation: context.cancellation });
    const context: RequestContext = new RequestContext(head, body);
    return new Exchange(context, new ResponseOutlet({ request, writeTimeoutMs, respond }));
  }
}

const headOf = (request: Request, address: string): RequestHead => ({
  method: request.method,
  url: request.url,
  headers: Object.fromEntries(request.headers),
  address,
  protocol: request.url.startsWith("https:") ? "https" : "http",
  raw: request,
});

type WebBodyParts = Pick<RequestContext, "head" | "cancellation"> &
  Pick<DoorParts, "quota" | "bodyTimeoutMs">;

/**
 * Reads the body of a web-standard request.
 * @throws {AgnoChatError} rejects as `readNodeBody`, and with `REQUEST_TIMEOUT` for a slow sender
 */
async function readWebBody(
  request: Request,
  { head, cancellation, quota, bodyTimeoutMs }: WebBodyParts,
): Promise<string> {
  if (request.bodyUsed || request.body?.locked) throw readBefore();
  const intake = new Intake(quota, head.headers);
  if (request.body === null) return intake.text();
  const reader = request.body.getReader();
  const limit = limitTime(cancellation.signal, bodyTimeoutMs, tooSlow);
  const waits = new AbortableWaits(limit.signal);
  try {
    for (;;) {
      const { done, value } = await waits.until(reader.read());
      if (done) return intake.text();
      if (!intake.add(value)) throw hungUp();
    }
  } catch (thrown) {
    // The sender may be gone, in which case there is nothing to cancel.
    reader.cancel().catch(() => {});
    throw intake.refusalFor(thrown instanceof AgnoChatError ? thrown : hungUp());
  } finally {
    waits.end();
    limit.end();
  }
}

const tooSlow = () => new AgnoChatError("REQUEST_TIMEOUT", "The body took too long to arrive.");

interface OutletParts {
  readonly request: Request;
  readonly writeTimeoutMs: number;
  readonly respond: (response: Response) => void;
}

/** Bytes of a stream that may wait for the client. */
const MOST_WAITING = 16 * 1024;

class ResponseOutlet implements Outlet {
  readonly #parts: OutletParts;
  readonly #encoder = new TextEncoder();
  #status = 0;
  #isClosed = false;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #receiver!: Receiver;
  #drained = (): void => {};
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: OutletParts) {
    this.#parts = parts;
  }

  get status(): number {
    return this.#status;
  }

  get hasBegun(): boolean {
    return this.#status !== 0;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isFull(): boolean {
    return (this.#controller?.desiredSize ?? 1) <= 0;
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver;
    const { signal } = this.#parts.request;
    if (signal.aborted) receiver.hangUp();
    else signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  send({ status, headers, body }: WholeAnswer): void {
    this.#respond(body, { status, headers });
    this.#finish();
  }

  begin(headers: StreamedAnswer["headers"]): void {
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#drained(),
        cancel: () => {
          this.#controller = undefined;
          this.#leave();
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: MOST_WAITING }),
    );
    this.#respond(stream, { status: 200, headers });
  }

  write(text: string): void {
    this.#controller?.enqueue(this.#encoder.encode(text));
  }

  end(): void {
    if (this.#isClosed) return;
    this.#controller?.close();
    this.#finish();
  }

  cut(): void {
    this.#isClosed = true;
    this.#unfollow();
    // Nobody reads it any more, and some hosts print an error.
    if (this.#parts.request.signal.aborted) this.#controller?.close();
    else this.#controller?.error(new Error("The answer was cut off."));
  }

  catchUp(drained: () => void): void {
    this.#drained = drained;
    this.#timer = setTimeout(() => this.#leave(), this.#parts.writeTimeoutMs);
  }

  resume(): void {
    clearTimeout(this.#timer);
  }

  /** Connections are the business of whoever calls `fetch`. */
  stopKeepAlive(): void {}

  readonly #onAbort = (): void => this.#receiver.hangUp();

  #respond(body: string | ReadableStream | undefined, init: ResponseInit): void {
    const { request, respond } = this.#parts;
    this.#status = init.status ?? 200;
    respond(new Response(request.method === "HEAD" ? null : body, init));
  }

  #leave(): void {
    this.#isClosed = true;
    this.#receiver.hangUp();
    this.#drained();
  }

  #finish(): void {
    this.#isClosed = true;
    this.#unfollow();
    this.#receiver.finish();
  }

  #unfollow(): void {
    this.#parts.request.signal.removeEventListener("abort", this.#onAbort);
  }
}
