import type { Settings } from "./settings/settings.js";

/** The session somebody named; `undefined`, which means all of a user's, when nobody did. */
export const namedSession = ({ values, origins }: Settings): string | undefined =>
  origins.session === "default" ? undefined : values.session;
