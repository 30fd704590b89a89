declare const AGNO_CHAT_VERSION: string;

/** The version in package.json, put in by the bundler. */
export const VERSION: string = AGNO_CHAT_VERSION;
