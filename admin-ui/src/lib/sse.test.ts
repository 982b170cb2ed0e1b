import { expect, test } from 'vitest';
import { SseParser } from './sse';

const STREAM = ': hello\r\n\r\nevent: x\r\ndata: {"a":1}\r\nid: 7\r\n\r\ndata:two\ndata: lines\n\ndata: [DONE]\r\rdata: cut off';
const EVENTS = ['{"a":1}', 'two\nlines', '[DONE]'];

test('events, comments, line ends', () => expect(new SseParser().push(STREAM)).toEqual(EVENTS));

test('cut at every place', () => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const parser = new SseParser();
    expect([...parser.push(STREAM.slice(0, cut)), ...parser.push(STREAM.slice(cut))], `cut at ${cut}`).toEqual(EVENTS);
  }
});

test('byte by byte', () => {
  const parser = new SseParser();
  expect(Array.from(STREAM).flatMap((char) => parser.push(char))).toEqual(EVENTS);
});

test('a line feed belongs to the carriage return before it, the next one does not', () => {
  const parser = new SseParser();
  expect(['data: a\r', '\n', '\n', 'data: b\r', '\r'].flatMap((piece) => parser.push(piece))).toEqual(['a', 'b']);
});

test('empty data is an event only when there was a data line', () => {
  expect(new SseParser().push('data:\n\nevent: y\n\n')).toEqual(['']);
});
