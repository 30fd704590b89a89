import type { Agent } from "../../agent/agent.js";
import { type Answer, json } from "../answer.js";

/** `GET /v1/models`: the agent, as the one model there is. */
export const models = ({ name }: Agent, since: Date): Answer =>
  json({
    object: "list",
    data: [
      {
        id: name,
        object: "model",
        created: Math.floor(since.getTime() / 1000),
        owned_by: "agno-chat",
      },
    ],
  });
