import { isDeepStrictEqual } from "node:util";
import type { Model, ModelEvent, ModelRequest } from "../models/model.js";
import type { Report } from "./findings.js";

/** The same model; a request that it changes is a finding. */
export const watchedModel = (model: Model, report: Report): Model => ({
  name: model.name,
  async *stream(request, options): AsyncIterable<ModelEvent> {
    const before = structuredClone(request);
    for await (const event of model.stream(request, options)) {
      // Nobody reads on after the end.
      if (event.type === "finish") reportChange(before, request, report);
      yield event;
    }
  },
});

function reportChange(before: ModelRequest, after: ModelRequest, report: Report): void {
  if (isDeepStrictEqual({ ...after }, { ...before })) return;
  const text = "the model changed the request it was given, which others hold too";
  report([{ check: "requests", kind: "altered", door: "model", where: "request", text }]);
}
