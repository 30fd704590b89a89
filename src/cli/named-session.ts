import type { Settings } from "./settings/settings.js";

/** The session given by flag or settings; `undefined`, all sessions of the user, otherwise. */
export const namedSession = ({ values, origins }: Settings): string | undefined =>
  origins.session === "default" ? undefined : values.session;
