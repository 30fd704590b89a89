import type { Context } from "../command-context.js";
import { chooseModel } from "../model-choice.js";
import { shownValue } from "../settings/shown-settings.js";
import { type Introduction, introductionText } from "./introduction.js";

/** Names the speaker and says how much is stored of them. */
export const welcomeLine = (introduction: Introduction): string =>
  `Talking as ${introductionText(introduction)}.${introduction.session.sessions > 0 ? " /new begins another." : ""}`;

/** The first rows on the screen: the model, the store and examples to try. */
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
