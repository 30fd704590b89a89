import type { Context } from "../command-context.js";
import { chooseModel } from "../model-choice.js";
import { shownValue } from "../settings/settings.js";
import { type Arrival, arrivalText } from "./arrival.js";

/** Who talks, and what there is of them already. */
export const welcomeLine = (arrival: Arrival): string =>
  `Talking as ${arrivalText(arrival)}.${isGoingOn(arrival) ? " /new begins another." : ""}`;

const isGoingOn = ({ who, sessions }: Arrival): boolean =>
  sessions.some(({ sessionId }) => sessionId === who.sessionId);

/** A few rows at the start: what answers, where it is kept, what to try. */
export function welcomeText({ settings, io }: Context): string {
  const choice = chooseModel(settings, io.env);
  const model =
    choice.kind === "built-in"
      ? "demo, built in and offline (for a real one: agno-chat config)"
      : [choice.model ?? "the only one", choice.endpoint.baseUrl ?? "OpenAI"].join(" at ");
  return [
    "agno-chat: one agent, many users, each with a history of their own",
    `Model: ${model}`,
    `Store: ${shownValue(settings, "store")}`,
    "Try: My name is Alice · /user bob · What's my name? · /help",
    "",
  ].join("\n");
}
