import { createContext } from "../../../../src/cli/command-context.js";
import { setUp } from "../../../../src/cli/setup/set-up.js";

/** The set-up with these local servers on offer, each a base URL. */
const offered = process.argv
  .slice(2)
  .map((baseUrl) => ({ name: "Nearby", baseUrl, isLocal: true }));
const options = { json: false, quiet: false, debug: false, color: true, yes: false, save: true };
const context = await createContext({
  ...{ io: process, options, flags: {}, signal: new AbortController().signal },
});
process.exitCode = await setUp(context, offered);
