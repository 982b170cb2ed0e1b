"""The official openai package for Python at a provider of Anthropic's dialect: tools over turns, pictures, schemas, thinking, streams,
the Responses API; what it returns and what that provider received."""
import asyncio
import json
import unittest

import openai
import pydantic

import harness
from suite import BASE_URL, KEY, SIM, integrate

MODEL = "@claude/claude-sonnet-4-5"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 3}},
          "required": ["city", "days"], "additionalProperties": False}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("get_weather", "get_time")]


class Place(pydantic.BaseModel):
    city: str
    days: int


def say(content):
    return [{"role": "user", "content": content}]


def client(**more):
    return openai.OpenAI(api_key=KEY, base_url=BASE_URL, max_retries=0, **more)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not hasattr(Case, "made"):
            Case.made = integrate("claude", "anthropic")

    def setUp(self):
        SIM.reset()

    def received(self):
        record = harness.wait_for("a request at the simulator", SIM.last)
        self.assertNotIn("slk_", json.dumps(record["headers"]), "a key of ours went upstream")
        self.assertEqual(record["path"], "/v1/messages")
        return json.loads(record["body"])


class Chat(Case):
    def ask(self, **more):
        return client().chat.completions.create(**{"model": MODEL, "messages": say("Hello!"), **more})

    def turn(self, streamed, **more):
        if not streamed:
            return self.ask(**more).choices[0]
        with client().chat.completions.stream(model=MODEL, **more) as stream:
            return stream.get_final_completion().choices[0]

    def test_whole_and_streamed(self):
        self.assertEqual(self.ask().choices[0].message.content, "You said: Hello!")
        chunks = list(self.ask(stream=True, stream_options={"include_usage": True}))
        self.assertEqual("".join(c.choices[0].delta.content or "" for c in chunks if c.choices), "You said: Hello!")
        self.assertGreater(chunks[-1].usage.total_tokens, 0)

    def test_tools_over_turns_with_thinking(self):
        for streamed in (False, True):
            for effort in ({}, {"reasoning_effort": "medium"}):
                with self.subTest(streamed=streamed, **effort):
                    messages = say("weather and time please")
                    first = self.turn(streamed, messages=messages, tools=TOOLS, **effort)
                    calls = first.message.tool_calls
                    self.assertEqual([c.function.name for c in calls], ["get_weather", "get_time"])
                    messages.append(first.message.model_dump(exclude_none=True, exclude={"parsed"}))
                    messages += [{"role": "tool", "tool_call_id": c.id, "content": f"result of {c.id}"} for c in calls]
                    second = self.turn(streamed, messages=messages, tools=TOOLS, **effort)
                    self.assertEqual(second.finish_reason, "stop")
                    turns = self.received()["messages"]
                    self.assertEqual([m["role"] for m in turns], ["user", "assistant", "user"])
                    self.assertEqual([b["tool_use_id"] for b in turns[2]["content"]], [c.id for c in calls])
                    self.assertEqual([b["type"] for b in turns[1]["content"]],
                                     (["thinking"] if effort else []) + ["tool_use", "tool_use"])

    def test_answers_are_parsed(self):
        reply = client().chat.completions.parse(model=MODEL, messages=say("Hello!"), response_format=Place)
        self.assertEqual(reply.choices[0].message.parsed.city, "Hello!")
        self.assertEqual(self.received()["output_config"]["format"]["type"], "json_schema")

    def test_pictures(self):
        self.ask(messages=say([{"type": "text", "text": "see"},
                               {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PNG}}]))
        self.assertEqual(self.received()["messages"][0]["content"][1]["source"]["media_type"], "image/png")

    def test_errors(self):
        with self.assertRaises(openai.RateLimitError):
            self.ask(messages=say("sim:fault=status:429"))
        with self.assertRaises(openai.APIError):
            list(self.ask(stream=True, messages=say("sim:fault=error-event:2 some words")))
        with self.assertRaises(openai.BadRequestError) as refused:
            self.ask(logprobs=True)
        self.assertIn("logprobs: provider @claude", str(refused.exception))

    def test_many_at_once(self):
        async def run():
            async with openai.AsyncOpenAI(api_key=KEY, base_url=BASE_URL, max_retries=0) as many:
                return await asyncio.gather(*(many.chat.completions.create(model=MODEL, messages=say(f"number {i}"))
                                              for i in range(20)))
        self.assertEqual([r.choices[0].message.content for r in asyncio.run(run())], [f"You said: number {i}" for i in range(20)])


class Responses(Case):
    FUNCTIONS = [{"type": "function", "name": name, "parameters": SCHEMA, "strict": True} for name in ("get_weather", "get_time")]

    def ask(self, **more):
        return client().responses.create(**{"model": MODEL, "input": "Hello!", **more})

    def turn(self, streamed, **more):
        if not streamed:
            return self.ask(**more)
        with client().responses.stream(model=MODEL, **more) as stream:
            return stream.get_final_response()

    def test_whole(self):
        reply = self.ask(instructions="Be brief.", metadata={"a": "b"})
        self.assertEqual((reply.output_text, reply.status, reply.metadata), ("You said: Hello!", "completed", {"a": "b"}))
        self.assertEqual(reply.usage.total_tokens, reply.usage.input_tokens + reply.usage.output_tokens)
        self.assertEqual(self.received()["system"], [{"type": "text", "text": "Be brief."}])

    def test_streamed(self):
        events = list(self.ask(stream=True))
        self.assertEqual([e.sequence_number for e in events], list(range(len(events))))
        kinds = [e.type for i, e in enumerate(events) if i == 0 or events[i - 1].type != e.type]
        self.assertEqual(kinds, ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
                                 "response.output_text.delta", "response.output_text.done", "response.content_part.done",
                                 "response.output_item.done", "response.completed"])
        self.assertEqual(events[-1].response.output_text, "You said: Hello!")

    def test_tools_over_turns_with_thinking(self):
        for streamed in (False, True):
            for more in ({}, {"reasoning": {"effort": "high", "summary": "auto"}}):
                with self.subTest(streamed=streamed, **more):
                    items = say("weather and time please")
                    first = self.turn(streamed, input=items, tools=self.FUNCTIONS, **more)
                    calls = [item for item in first.output if item.type == "function_call"]
                    self.assertEqual([(c.name, json.loads(c.arguments)["days"]) for c in calls], [("get_weather", 3), ("get_time", 3)])
                    items += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in first.output]
                    items += [{"type": "function_call_output", "call_id": c.call_id, "output": "sun"} for c in calls]
                    second = self.turn(streamed, input=items, tools=self.FUNCTIONS, **more)
                    self.assertTrue(second.output_text.startswith("You said: "))
                    turns = self.received()["messages"]
                    self.assertEqual([m["role"] for m in turns], ["user", "assistant", "user"])
                    self.assertEqual([b["type"] for b in turns[1]["content"]],
                                     (["thinking"] if more else []) + ["tool_use", "tool_use"])

    def test_answers_are_parsed(self):
        reply = client().responses.parse(model=MODEL, input="Hello!", text_format=Place)
        self.assertEqual(reply.output_parsed.days, 1)

    def test_limits_and_errors(self):
        short = self.ask(max_output_tokens=2)
        self.assertEqual((short.status, short.incomplete_details.reason), ("incomplete", "max_output_tokens"))
        with self.assertRaises(openai.BadRequestError) as refused:
            self.ask(previous_response_id="resp_1")
        self.assertIn("previous_response_id", str(refused.exception))
        with self.assertRaises(openai.InternalServerError):
            self.ask(input="sim:fault=status:529")
        events = list(self.ask(stream=True, input="sim:fault=error-event:2 some words"))
        self.assertEqual([e.type for e in events[-2:]], ["error", "response.failed"])
        self.assertEqual((events[-1].response.status, events[-1].response.error.message), ("failed", events[-2].message))


if __name__ == "__main__":
    unittest.main()
