/** Defined by the build from package.json. */
declare const AGNO_CHAT_VERSION: string;

export const VERSION = AGNO_CHAT_VERSION;
