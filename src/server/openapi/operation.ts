import { ref, type Schema, type SchemaName } from "./schemas.js";

/** What a client reads about one method of a path. */
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: object;
  /** Empty for a route that is open to all. */
  readonly security?: readonly [];
  readonly responses: Readonly<Record<string, object>>;
}

export interface Parameter {
  readonly required?: true;
  readonly name: string;
  readonly in: "query" | "header";
  readonly description?: string;
  readonly schema: Schema;
  readonly example?: unknown;
}

export const JSON_TYPE = "application/json";
const EVENTS = "text/event-stream";

const jsonOf = (name: SchemaName) => ({ [JSON_TYPE]: { schema: ref(name) } });

export const answer = (description: string, name: SchemaName, also: object = {}) => ({
  description,
  content: { ...jsonOf(name), ...also },
});

export const eventsOf = (description: string) => ({
  [EVENTS]: { schema: { type: "string", description } },
});
