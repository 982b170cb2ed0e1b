import { expect, test } from 'vitest';
import { splitField, errorFrom, ApiError } from '~/api/errors';
import { hueOf, HUES, initialsOf } from './initials';
import { rank } from './rank';

test('initials and colours are stable', () => {
  expect(['OpenAI', 'AWS Bedrock', 'DashScope (Alibaba)', 'x-ai', 'io.net Intelligence', 'groq'].map(initialsOf)).toEqual([
    'OA',
    'AB',
    'DS',
    'XA',
    'IN',
    'G',
  ]);
  expect(hueOf('OpenAI')).toBe(hueOf('OpenAI'));
  expect(new Set(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'].map(hueOf)).size).toBeGreaterThan(3);
  for (const name of ['', 'é', 'OpenAI']) expect(hueOf(name)).toBeLessThan(HUES);
});

test('what begins with the word comes first, what lacks one is left out', () => {
  const names = ['@openai/gpt-4o', 'Models', 'Model pricing', '@anthropic/claude'];
  const found = (text: string) =>
    rank(
      names,
      text,
      (name) => name,
      (name) => (name === 'Models' ? 'gallery' : ''),
    );
  expect(found('model')).toEqual(['Models', 'Model pricing']);
  expect(found('gpt 4o')).toEqual(['@openai/gpt-4o']);
  expect(found('gallery')).toEqual(['Models']);
  expect(found('model claude')).toEqual([]);
});

test('a refusal names its field', () => {
  expect(splitField('usage_limits.credit_limit: must be a number of 0 or more')).toEqual({
    field: 'usage_limits.credit_limit',
    rule: 'must be a number of 0 or more',
  });
  expect(splitField('config.targets[1].retry: unknown').field).toBe('config.targets[1].retry');
  expect(splitField('An integration with this slug already exists').field).toBeUndefined();
  expect(splitField('https://x: no').field).toBeUndefined();
});

test('both error shapes are read', () => {
  const admin = errorFrom(400, { success: false, message: 'slug: is taken', data: { errorCode: 'AB01', code: 'invalid' } }, 'r1');
  expect(admin).toBeInstanceOf(ApiError);
  expect([admin.field, admin.rule, admin.code, admin.requestId]).toEqual(['slug', 'is taken', 'invalid', 'r1']);
  const gateway = errorFrom(412, { error: { message: 'Budget exhausted', code: 'budget' } });
  expect([gateway.message, gateway.code]).toEqual(['Budget exhausted', 'budget']);
  expect(errorFrom(502, 'Bad gateway').message).toBe('HTTP 502');
});
