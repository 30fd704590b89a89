import type { Model, ModelEvent, ModelRequest } from "../models/model.js";

/** A model that may be replaced while it is in use. Calls under way stay with the old one. */
export class ReplaceableModel implements Model {
  #model: Model;

  constructor(model: Model) {
    this.#model = model;
  }

  get name(): string {
    return this.#model.name;
  }

  replace(model: Model): void {
    this.#model = model;
  }

  stream(
    request: ModelRequest,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<ModelEvent> {
    return this.#model.stream(request, options);
  }
}
