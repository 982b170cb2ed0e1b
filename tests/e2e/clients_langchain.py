"""LangChain for Python from PyPI, unpatched: ChatOpenAI, ChatAnthropic, a tool agent, streams with usage, and OpenAIEmbeddings with its
defaults, which sends tokens: what a provider of text says to that."""
import base64
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import openai
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, Field

from suite import BASE_URL, FACTS, KEY, PROVIDER, SIM, integrate

GPT, CLAUDE = PROVIDER + "/gpt-4o", "@claude/claude-sonnet-4-5"
RANKS = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"


class Place(BaseModel):
    """A place and for how long."""
    city: str
    days: int = Field(ge=3)


@tool
def get_weather(city: str, days: int) -> str:
    """Weather of a city."""
    return f"sun for {days} days"


def token_ranks(folder):
    """tiktoken loads its table from the net and keeps it in a folder; the one of npm's js-tiktoken is the same table."""
    script = """import ranks from 'js-tiktoken/ranks/cl100k_base'; process.stdout.write(ranks.bpe_ranks)"""
    packed = subprocess.run(["node", "--input-type=module", "-e", script], cwd=os.environ["SLUICE_TOOLS"], check=True,
                            capture_output=True, text=True).stdout
    table = {}
    for line in filter(None, packed.split("\n")):
        _, start, *tokens = line.split(" ")
        table.update((int(start) + i, token) for i, token in enumerate(tokens))
    text = "".join(f"{token} {rank}\n" for rank, token in sorted(table.items()))
    pathlib.Path(folder, hashlib.sha1(RANKS.encode()).hexdigest()).write_text(text, encoding="ascii")
    assert all(base64.b64decode(token) for token in table.values())


class LangChain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        integrate("claude", "anthropic")
        integrate("tral", "mistral-ai")
        cls.folder = tempfile.TemporaryDirectory()
        token_ranks(cls.folder.name)
        os.environ["TIKTOKEN_CACHE_DIR"] = cls.folder.name

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        SIM.reset()

    def models(self):
        for model in (GPT, CLAUDE):
            yield ChatOpenAI(model=model, api_key=KEY, base_url=BASE_URL, max_retries=0, stream_usage=True)
            yield ChatOpenAI(model=model, api_key=KEY, base_url=BASE_URL, max_retries=0, use_responses_api=True)
            yield ChatAnthropic(model=model, api_key=KEY, base_url=FACTS["gateway_url"], max_tokens=200, max_retries=0)

    def test_messages_and_streams(self):
        for model in self.models():
            with self.subTest(model):
                message = model.invoke("Hello!")
                self.assertEqual(message.text, "You said: Hello!")
                self.assertGreater(message.usage_metadata["total_tokens"], 0)
                whole = None
                for chunk in model.stream("Hello!"):
                    whole = chunk if whole is None else whole + chunk
                self.assertEqual(whole.text, "You said: Hello!")
                self.assertEqual(whole.usage_metadata["output_tokens"], message.usage_metadata["output_tokens"])

    def test_tools_and_an_agent(self):
        for model in self.models():
            with self.subTest(model):
                asked = HumanMessage("weather please")
                bound = model.bind_tools([get_weather])
                call = bound.invoke([asked])
                self.assertEqual([c["name"] for c in call.tool_calls], ["get_weather"])
                answer = bound.invoke([asked, call, ToolMessage("rain", tool_call_id=call.tool_calls[0]["id"])])
                self.assertEqual(answer.text, "You said: rain")
                messages = create_agent(model, [get_weather]).invoke({"messages": [asked]})["messages"]
                self.assertEqual([m.type for m in messages], ["human", "ai", "tool", "ai"])
                self.assertIn("sun for", messages[-1].text)

    def test_structured_output(self):
        for model in self.models():
            with self.subTest(model):
                self.assertEqual(model.with_structured_output(Place).invoke("a place").days, 3)

    def test_embeddings_with_defaults(self):
        embeddings = OpenAIEmbeddings(model=PROVIDER + "/text-embedding-3-small", api_key=KEY, base_url=BASE_URL, max_retries=0,
                                      tiktoken_model_name="text-embedding-3-small")
        self.assertEqual(len(embeddings.embed_query("Hello there")), 1536)
        self.assertIsInstance(json.loads(SIM.last()["body"])["input"][0], list, "tokens are the default")
        with self.assertRaises(openai.BadRequestError) as refused:
            embeddings.model_copy(update={"model": "@tral/mistral-embed"}).embed_query("Hello there")
        self.assertIn("check_embedding_ctx_length=False", str(refused.exception))


if __name__ == "__main__":
    unittest.main()
