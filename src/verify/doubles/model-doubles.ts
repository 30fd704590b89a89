import { InMemory } from "../../memory/in-memory.js";
import type { Message } from "../../messages.js";
import type { Model, ModelEvent, ModelRequest } from "../../models/model.js";
import { agentOver } from "../battery.js";
import { collected } from "../model-events.js";
import type { Double } from "./double.js";

type Stream = Model["stream"];

const double = (name: string, change: (stream: Stream) => Stream): Double => ({
  name,
  open() {
    const memory = new InMemory();
    return {
      open({ model, ...parts }) {
        const stream = change(model.stream.bind(model));
        return agentOver(memory)({ ...parts, model: { name: model.name, stream } });
      },
    };
  },
});

/** A model that is sent other messages than the agent's. */
const sending = (
  name: string,
  makeChange: () => (messages: readonly Message[]) => readonly Message[],
): Double =>
  double(name, (stream) => {
    const change = makeChange();
    return (request, options) =>
      stream({ ...request, messages: change(request.messages) }, options);
  });

const lastUserText = ({ messages }: ModelRequest): string =>
  messages.findLast(({ role }) => role === "user")?.content ?? "";

export const MODEL_DOUBLES: readonly Double[] = [
  double("replies cached by the words of the question", (stream) => {
    const cache = new Map<string, ModelEvent[]>();
    return async function* (request, options) {
      const key = lastUserText(request);
      const events = cache.get(key) ?? (await collected(stream(request, options)));
      if (!events.some(({ type }) => type === "tool-call")) cache.set(key, events);
      yield* events;
    };
  }),
  double("a reply that goes to the caller before", (stream) => {
    let earlier: ModelEvent[] | undefined;
    return async function* (request, options) {
      const events = await collected(stream(request, options));
      const late = earlier;
      if (!events.some(({ type }) => type === "tool-call")) earlier = events;
      yield* events.some(({ type }) => type === "tool-call") ? events : (late ?? events);
    };
  }),
  sending("instructions that carry the message before", () => {
    let before = "";
    return (messages) => {
      const [first, ...rest] = messages;
      const content = `${first?.content}${before}`;
      before = ` Earlier: ${rest.findLast(({ role }) => role === "user")?.content}`;
      return [{ role: "system", content }, ...rest];
    };
  }),
  sending("a request that another user's words slip into now and then", () => {
    let count = 0;
    let slipped: Message | undefined;
    return (messages) => {
      const old = slipped;
      slipped = messages.findLast(({ role }) => role === "user");
      const isChanged = ++count % 40 === 0 && old !== undefined;
      return isChanged ? [messages[0] as Message, old, ...messages.slice(1)] : messages;
    };
  }),
  sending("a history that is cut", () => (messages) => [
    ...messages.slice(0, 1),
    ...messages.slice(1).slice(-3),
  ]),
  sending("a history in another order", () => (messages) => [
    ...messages.slice(0, 1),
    ...messages.slice(1, -1).reverse(),
    ...messages.slice(-1),
  ]),
  sending(
    "a history that says things twice",
    () => (messages) =>
      messages.length < 3 ? messages : [...messages.slice(0, 3), ...messages.slice(1)],
  ),
  sending(
    "a history that loses its replies",
    () => (messages) =>
      messages.filter(
        (message) =>
          message.role !== "assistant" ||
          (message.toolCalls !== undefined && message.content === ""),
      ),
  ),
];
