// A chat app on Express, checked by express-chat.test.mjs: node examples/express-chat.mjs
import { pathToFileURL } from "node:url";
import express from "express";
import OpenAI from "openai";

/** @param localsOf Where a request keeps its user. All requests share `app.locals`. */
export function createApp({ baseURL, apiKey, localsOf = ({ response }) => response.locals }) {
  const client = new OpenAI({ baseURL, apiKey });
  const histories = new Map();
  const queues = new Map();

  /** Messages of one user wait for each other; those of others do not. */
  function inTurn(user, work) {
    const turn = (queues.get(user) ?? Promise.resolve()).then(work, work);
    queues.set(user, turn);
    return turn;
  }

  async function answer(locals, message) {
    const asked = { role: "user", content: message };
    const messages = [...(histories.get(locals.user) ?? []), asked];
    const { choices } = await client.chat.completions.create({ model: "gpt-5.4-mini", messages });
    const reply = choices[0].message.content;
    histories.set(locals.user, [...messages, { role: "assistant", content: reply }]);
    return reply;
  }

  const app = express();
  app.use(express.json());
  app.use((request, response, next) => {
    const user = request.get("x-user");
    if (!user) return response.status(401).json({ error: "Who are you?" });
    localsOf({ app, response }).user = user;
    next();
  });
  app.post("/chat", async (request, response) => {
    const locals = localsOf({ app, response });
    const reply = await inTurn(locals.user, () => answer(locals, request.body.message));
    response.json({ reply });
  });
  app.delete("/history", (_, response) => {
    histories.delete(localsOf({ app, response }).user);
    response.status(204).end();
  });
  return app;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey = "none" } = process.env;
  createApp({ baseURL, apiKey }).listen(3000, "127.0.0.1");
  console.log("http://127.0.0.1:3000/chat");
}
