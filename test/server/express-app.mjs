import express from "express";

/** Express has no types of its own, so its app is made here. */
export const appWith = (path, handler) =>
  express()
    .get("/own", (_, response) => response.end("own"))
    .use(path, handler);
