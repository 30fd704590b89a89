import type { ModelRequest } from "../model.js";
import { conversationOf, type DemoReply, type Intent } from "./demo-request.js";
import { noteStatements, recallEverything, recallFact } from "./facts.js";
import { nameFiles } from "./files.js";
import { showMarkdown } from "./markdown-intent.js";
import { recallName } from "./name.js";
import {
  acceptThanks,
  admit,
  countMessages,
  greet,
  help,
  quoteInstructions,
  quoteUser,
  sayGoodbye,
} from "./talk.js";
import { sayToolAnswers } from "./tool-answers.js";
import { callTools } from "./tool-calls.js";

/** The first that answers wins: questions come before statements, vague intents last. */
const INTENTS: readonly Intent[] = [
  sayToolAnswers,
  showMarkdown,
  nameFiles,
  quoteInstructions,
  quoteUser,
  countMessages,
  recallName,
  callTools,
  recallEverything,
  recallFact,
  noteStatements,
  help,
  acceptThanks,
  greet,
  sayGoodbye,
];

export function replyTo(request: ModelRequest): DemoReply {
  const conversation = conversationOf(request);
  for (const intent of INTENTS) {
    const reply = intent(conversation);
    if (reply !== undefined) return reply;
  }
  return admit(conversation);
}
