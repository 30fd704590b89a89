import { isObject } from "../../json.js";
import {
  type Fields,
  given,
  isFormat,
  NO_TOOLS,
  optionalFlag,
  optionalText,
  type Refusal,
  refuseAny,
} from "./fields.js";
import { RequestFault } from "./request-fault.js";
import { joined, type Turns, turnsOf } from "./turns.js";

/** The body of `POST /v1/responses`, checked but for its ids. */
export interface ResponsesRequest extends Turns {
  readonly user: string | undefined;
  readonly conversation: string | undefined;
  readonly previous: string | undefined;
  readonly store: boolean;
  readonly stream: boolean;
}

const REFUSALS: readonly Refusal[] = [
  NO_TOOLS,
  {
    param: "background",
    message: "This server keeps no response that it could finish later.",
    hint: "Leave out background.",
    asksIn: ({ background }) => background === true,
  },
  {
    param: "prompt",
    message: "This server keeps no prompts.",
    hint: "Send the text as input.",
    asksIn: ({ prompt }) => isObject(prompt),
  },
  {
    param: "text.format",
    message: "This agent answers in text alone.",
    hint: "Leave out text.format.",
    asksIn: ({ text }) => isObject(text) && isFormat(text.format),
  },
];

/** @throws {RequestFault} */
export function responsesRequestOf(body: Fields): ResponsesRequest {
  refuseAny(body, REFUSALS);
  const user = userIn(body);
  const conversation = conversationIn(body);
  const previous = optionalText(body, "previous_response_id");
  if (conversation !== undefined && previous !== undefined)
    throw new RequestFault(
      "previous_response_id cannot be used in conjunction with conversation.",
      { param: "previous_response_id", hint: "Send one of them." },
    );
  const store = optionalFlag(body, "store") ?? true;
  if (!store && (conversation ?? previous) !== undefined)
    throw new RequestFault("Without storing, a conversation cannot go on.", {
      param: "store",
      hint: "Leave out store, or send the whole conversation as input.",
    });
  const turns = turnsIn(body);
  if (store && turns.history.length > 0)
    throw new RequestFault("input has several messages, but the earlier ones are kept here.", {
      param: "input",
      hint: "Send the new message alone; or set store to false, and nothing is kept.",
    });
  const stream = optionalFlag(body, "stream") ?? false;
  return { ...turns, user, conversation, previous, store, stream };
}

/** The user has two names, an old and a new one. */
function userIn(body: Fields): string | undefined {
  const user = optionalText(body, "user");
  const identifier = optionalText(body, "safety_identifier");
  if (user !== undefined && identifier !== undefined && user !== identifier)
    throw new RequestFault("user and safety_identifier are not the same.", {
      param: "safety_identifier",
      hint: "Send one of them.",
    });
  return identifier ?? user;
}

function conversationIn(body: Fields): string | undefined {
  const conversation = given(body, "conversation");
  return isObject(conversation)
    ? optionalText(conversation, "id")
    : optionalText(body, "conversation");
}

function turnsIn(body: Fields): Turns {
  const { input } = body;
  const instructions = optionalText(body, "instructions");
  if (typeof input === "string") return { instructions, history: [], input };
  if (!Array.isArray(input))
    throw new RequestFault("input must be a string or a list of messages.", { param: "input" });
  const turns = turnsOf(input, { param: "input" });
  return { ...turns, instructions: joined([instructions, turns.instructions]) };
}
