import { untilAborted } from "../abort.js";
import type { Model, ModelEvent, ModelRequest } from "../models/model.js";
import { withPicturesRead } from "./doors/pictures.js";
import type { Recorder } from "./recorder.js";

/** A model that remembers every request and answers with canaries. */
export class RecordingModel implements Model {
  readonly name = "verify";
  readonly #recorder: Recorder;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  async *stream(
    request: ModelRequest,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncIterable<ModelEvent> {
    const answer = await this.#recorder.receive(
      { ...request, messages: withPicturesRead(request) },
      signal,
    );
    if (answer.kind === "fail") throw answer.error;
    if (answer.kind === "tools") {
      for (const call of answer.calls) yield { type: "tool-call", ...call };
      return yield { type: "finish", reason: "tool-calls" };
    }
    const middle = Math.floor(answer.text.length / 2);
    // Whoever hands the object on shows what it holds by then.
    const said = { type: "text-delta" as const, text: "" };
    for (const text of [answer.text.slice(0, middle), answer.text.slice(middle)]) {
      said.text = text;
      yield said;
    }
    said.text = "";
    if (answer.kind === "wait") await untilAborted(new Promise<never>(() => {}), signal);
    yield { type: "finish", reason: "stop" };
  }
}
