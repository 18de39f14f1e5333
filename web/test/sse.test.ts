import { expect, test } from "vitest";
import { EVENT_CHARS_MAX, EventParser } from "../src/sse.ts";

const STREAM =
  ': heartbeat\n\nevent: state\nid: 7\ndata: {"a":1}\n\ndata: first\r\ndata:second\r\n\r\nevent: alert\rid: 8\rdata: x\r\r: end\n';
const EVENTS = [
  { event: "state", data: '{"a":1}', id: "7" },
  { event: "message", data: "first\nsecond", id: "7" },
  { event: "alert", data: "x", id: "8" },
];

test("events come whole, with the last id, whatever ends the lines", () => {
  expect(new EventParser().push(STREAM)).toEqual(EVENTS);
});

test("a stream cut at any character gives the same events", () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const parser = new EventParser();
    expect([...parser.push(STREAM.slice(0, cut)), ...parser.push(STREAM.slice(cut))]).toEqual(EVENTS);
  }
});

test("an event without data is no event, but its id counts", () => {
  const parser = new EventParser("3");
  expect(parser.push("id: 4\n\ndata: x\n\n")).toEqual([{ event: "message", data: "x", id: "4" }]);
});

test("a resumed stream keeps the id it resumed from until another comes", () => {
  expect(new EventParser("3").push("data: x\n\n")).toEqual([{ event: "message", data: "x", id: "3" }]);
});

test("the server's retry is taken when it is a number", () => {
  const parser = new EventParser();
  parser.push("retry: 2500\nretry: soon\n\n");
  expect(parser.retry_ms).toBe(2500);
});

test("an event that never ends is refused at the bound", () => {
  const parser = new EventParser();
  const line = `data: ${"x".repeat(EVENT_CHARS_MAX / 2)}\n`;
  parser.push(line);
  parser.push(line);
  expect(() => parser.push(line)).toThrow(RangeError);
});
