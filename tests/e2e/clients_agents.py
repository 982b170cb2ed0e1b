"""The OpenAI Agents SDK from PyPI, unpatched, over the Responses API and over chat: an agent with a tool, streamed and not, a talk that goes
on, an answer of a type, at a provider with that API and at one without."""
import asyncio
import unittest

import agents
import openai
from pydantic import BaseModel, Field

from suite import BASE_URL, KEY, PROVIDER, SIM, integrate

GPT, CLAUDE = PROVIDER + "/gpt-4o", "@claude/claude-sonnet-4-5"


class Place(BaseModel):
    city: str
    days: int = Field(ge=3)


@agents.function_tool
def get_weather(city: str, days: int) -> str:
    """Weather of a city."""
    return "sun and rain"


class Agents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        agents.set_tracing_disabled(True)
        integrate("claude", "anthropic")

    def setUp(self):
        SIM.reset()

    def each(self, work):
        """Runs work(model) for each model at each provider, each with a client of its own."""
        async def run(kind, name):
            async with openai.AsyncOpenAI(api_key=KEY, base_url=BASE_URL, max_retries=0) as client:
                await work(kind(model=name, openai_client=client))
        for kind in (agents.OpenAIResponsesModel, agents.OpenAIChatCompletionsModel):
            for name in (GPT, CLAUDE):
                with self.subTest(kind=kind.__name__, model=name):
                    asyncio.run(run(kind, name))

    def test_a_tool_in_a_loop_and_a_talk_that_goes_on(self):
        async def work(model):
            agent = agents.Agent(name="helper", instructions="Be brief.", model=model, tools=[get_weather])
            result = await agents.Runner.run(agent, "weather please")
            self.assertEqual(result.final_output, "You said: sun and rain")
            self.assertGreater(result.context_wrapper.usage.total_tokens, 0)
            again = await agents.Runner.run(agent, result.to_input_list() + [{"role": "user", "content": "thanks"}])
            self.assertEqual(again.final_output, "You said: thanks")
        self.each(work)

    def test_streamed(self):
        async def work(model):
            agent = agents.Agent(name="helper", model=model, tools=[get_weather])
            result = agents.Runner.run_streamed(agent, "weather please")
            kinds = [event.item.type async for event in result.stream_events() if event.type == "run_item_stream_event"]
            self.assertEqual(kinds, ["tool_call_item", "tool_call_output_item", "message_output_item"])
            self.assertEqual(result.final_output, "You said: sun and rain")
        self.each(work)

    def test_thinking_goes_along(self):
        async def work(model):
            if model.model != CLAUDE:
                return
            settings = agents.ModelSettings(reasoning={"effort": "high"}, store=False, response_include=["reasoning.encrypted_content"])
            agent = agents.Agent(name="helper", model=model, tools=[get_weather], model_settings=settings)
            result = await agents.Runner.run(agent, "weather please")
            self.assertEqual(result.final_output, "You said: sun and rain")
            last = SIM.last()
            self.assertEqual(last["path"], "/v1/messages")
            if isinstance(model, agents.OpenAIResponsesModel):
                self.assertIn('"type":"thinking"', last["body"])
        self.each(work)

    def test_an_answer_of_a_type(self):
        async def work(model):
            agent = agents.Agent(name="helper", model=model, output_type=Place)
            self.assertEqual((await agents.Runner.run(agent, "a place")).final_output.days, 3)
        self.each(work)


if __name__ == "__main__":
    unittest.main()
