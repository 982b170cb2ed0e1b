// sim_suite.mjs: what the suites share that prove a provider's API in the simulator with its official SDK.
import { File } from 'node:buffer';

globalThis.File ??= File;

export const url = process.env.SLUICE_SIM;

/** The simulator's own view of what reached it. */
export const truth = {
  reset: () => fetch(`${url}/__sim/reset`, { method: 'POST' }),
  last: async () => (await (await fetch(`${url}/__sim/last?n=1`)).json())[0],
  all: async () => (await fetch(`${url}/__sim/requests`)).json(),
};

/** The rule of tests/sim/usage.h. */
export const tokens = (text) => Math.ceil(Buffer.byteLength(text) / 4);

export async function collect(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

/** A 1x1 PNG. */
export const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
export const pdf = Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64');

/** Waits for a promise that must fail; returns its error. */
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
