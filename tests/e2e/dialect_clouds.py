"""The official openai package for Python at the clouds' own dialects: Gemini, Bedrock (Converse), Vertex AI (Gemini and Claude there) and Cohere,
credentials that sign or are worth a token included; and the other fronts at the same providers."""
import json
import os
import unittest

import openai
import pydantic

import harness
from suite import BASE_URL, FACTS, KEY, SIM, admin, integrate

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
          "required": ["city", "days"], "additionalProperties": False}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("get_weather", "get_time")]
FUNCTIONS = [{"type": "function", "name": tool["function"]["name"], "parameters": SCHEMA} for tool in TOOLS]
HOST = FACTS["sim_url"]
GEMINI, BEDROCK = "@gemini/gemini-2.5-flash", "@bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0"
VERTEX, VERTEX_CLAUDE = "@vertex/gemini-2.5-flash", "@vertex/anthropic.claude-sonnet-4-5@20250929"
COHERE = "@cohere/command-a-plus-05-2026"
MODELS = (GEMINI, BEDROCK, VERTEX, VERTEX_CLAUDE, COHERE)


class Place(pydantic.BaseModel):
    city: str
    days: int


def say(content):
    return [{"role": "user", "content": content}]


def client(**more):
    return openai.OpenAI(api_key=KEY, base_url=BASE_URL, max_retries=0, **more)


def post(path, body):
    return harness.request(f"{BASE_URL}{path}", "POST", body, {"authorization": f"Bearer {KEY}"})


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if hasattr(Case, "made"):
            return
        Case.made = True
        with open(os.environ["SLUICE_ACCOUNT"]) as file:
            account = json.load(file)
        account["token_uri"] = HOST + "/token"
        integrate("gemini", "google", configurations={"custom_host": HOST})
        integrate("bedrock", "bedrock", configurations={
            "custom_host": HOST, "aws_auth_type": "accessKey", "aws_region": "us-east-1", "aws_access_key_id": "AKIDEXAMPLE",
            "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"})
        integrate("vertex", "vertex-ai", configurations={
            "custom_host": HOST, "vertex_auth_type": "serviceAccount", "vertex_region": "us-central1",
            "vertex_service_account_json": account})
        integrate("cohere", "cohere", configurations={"custom_host": HOST})
        integrate("azure", "azure-openai", configurations={
            "custom_host": HOST + "/openai", "azure_deployment_config": [
                {"alias": "fast", "azure_deployment_name": "dep-mini", "azure_api_version": "2025-01-01-preview",
                 "azure_model_slug": "gpt-4o-mini", "is_default": True},
                {"alias": "big", "azure_deployment_name": "dep-4o", "azure_api_version": "2024-10-21", "azure_model_slug": "gpt-4o"},
                {"alias": "new", "azure_deployment_name": "dep-v1", "azure_api_version": "v1", "azure_model_slug": "gpt-4.1"}]})

    def setUp(self):
        SIM.reset()

    def received(self):
        record = harness.wait_for("a request at the simulator", SIM.last)
        self.assertNotIn("slk_", json.dumps(record["headers"]), "a key of ours went upstream")
        return json.loads(record["body"])

    def each(self, *models):
        for model in models or MODELS:
            with self.subTest(model=model):
                yield model


class Chat(Case):
    def ask(self, model, **more):
        return client().chat.completions.create(**{"model": model, "messages": say("Hello!"), **more})

    def turn(self, model, streamed, **more):
        if not streamed:
            return self.ask(model, **more).choices[0]
        with client().chat.completions.stream(model=model, **more) as stream:
            return stream.get_final_completion().choices[0]

    def test_whole_and_streamed(self):
        for model in self.each():
            reply = self.ask(model)
            self.assertEqual(reply.choices[0].message.content, "You said: Hello!")
            chunks = list(self.ask(model, stream=True, stream_options={"include_usage": True}))
            self.assertEqual("".join(c.choices[0].delta.content or "" for c in chunks if c.choices), "You said: Hello!")
            self.assertEqual(chunks[-1].usage.total_tokens, reply.usage.total_tokens)
            self.assertGreater(reply.usage.total_tokens, 0)

    def test_tools_over_turns_with_thinking(self):
        for model in self.each():
            for streamed in (False, True):
                for effort in ({}, {"reasoning_effort": "medium"}):
                    with self.subTest(streamed=streamed, **effort):
                        messages = say("weather and time please")
                        first = self.turn(model, streamed, messages=messages, tools=TOOLS, **effort)
                        calls = first.message.tool_calls
                        self.assertEqual([c.function.name for c in calls], ["get_weather", "get_time"])
                        messages.append(first.message.model_dump(exclude_none=True, exclude={"parsed"}))
                        messages += [{"role": "tool", "tool_call_id": c.id, "content": f"result of {c.id}"} for c in calls]
                        second = self.turn(model, streamed, messages=messages, tools=TOOLS, **effort)
                        self.assertEqual(second.finish_reason, "stop")

    def test_answers_are_parsed(self):
        for model in self.each():
            reply = client().chat.completions.parse(model=model, messages=say("Hello!"), response_format=Place)
            self.assertEqual(reply.choices[0].message.parsed.city, "Hello!")

    def test_pictures(self):
        for model in self.each():
            self.ask(model, messages=say([{"type": "text", "text": "see"},
                                          {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PNG}}]))
            self.assertIn(PNG, json.dumps(self.received()))

    def test_errors(self):
        for model in self.each():
            with self.assertRaises(openai.RateLimitError):
                self.ask(model, messages=say("sim:fault=status:429"))
            with self.assertRaises(openai.APIError):
                list(self.ask(model, stream=True, messages=say("sim:fault=error-event:2 some words")))


class OtherFronts(Case):
    def test_messages(self):
        for model in self.each():
            body = {"model": model, "messages": say("Hello!"), "max_tokens": 500}
            reply = post("/messages", body)
            self.assertEqual((reply.status, reply.json["content"][-1]["text"]), (200, "You said: Hello!"), str(reply))
            self.assertGreater(reply.json["usage"]["output_tokens"], 0)
            stream = post("/messages", {**body, "stream": True})
            self.assertEqual(stream.status, 200, str(stream))
            self.assertIn("message_stop", str(stream.body))

    def test_responses(self):
        for model in self.each():
            reply = client().responses.create(model=model, input="Hello!")
            self.assertEqual((reply.output_text, reply.status), ("You said: Hello!", "completed"))
            with client().responses.stream(model=model, input="weather and time please", tools=FUNCTIONS) as stream:
                calls = [item.name for item in stream.get_final_response().output if item.type == "function_call"]
            self.assertEqual(calls, ["get_weather", "get_time"])


class Operations(Case):
    def test_embeddings(self):
        for model in self.each("@gemini/gemini-embedding-001", "@bedrock/amazon.titan-embed-text-v2:0", "@vertex/text-embedding-005", "@cohere/embed-v4.0"):
            for encoding in ("float", "base64"):
                reply = client().embeddings.create(model=model, input="one", encoding_format=encoding)
                self.assertEqual(len(reply.data), 1)
                self.assertGreater(reply.usage.prompt_tokens, 0)

    def test_rerank(self):
        reply = post("/rerank", {"model": "@cohere/rerank-v3.5", "query": "red apple", "documents": ["a pear", {"text": "a red apple"}, "an apple"],
                                 "top_n": 2, "return_documents": True})
        self.assertEqual(reply.status, 200, str(reply))
        self.assertEqual([(r["index"], r["document"]["text"]) for r in reply.json["results"]], [(1, "a red apple"), (2, "an apple")])
        self.assertEqual(reply.json["meta"]["billed_units"]["search_units"], 1)
        self.assertEqual(self.received()["documents"], ["a pear", "a red apple", "an apple"])

    def test_pictures_made(self):
        for model in self.each("@gemini/imagen-4.0-generate-001", "@bedrock/amazon.titan-image-generator-v2:0",
                               "@vertex/imagen-4.0-generate-001"):
            reply = client().images.generate(model=model, prompt="a boat", response_format="b64_json")
            self.assertTrue(reply.data[0].b64_json)


class Azure(Case):
    """One integration with three deployments (the simulator judges OpenAI's bodies; models there are the deployments' names)."""

    def test_deployments_by_alias_slug_and_default(self):
        for asked, path, name in (("fast", "/openai/deployments/dep-mini/chat/completions", "dep-mini"),
                                  ("gpt-4o", "/openai/deployments/dep-4o/chat/completions", "dep-4o"),
                                  ("new", "/openai/v1/chat/completions", "dep-v1")):
            with self.subTest(asked=asked):
                client().chat.completions.create(model=f"@azure/{asked}", messages=say("Hello!"))
                record = SIM.last()
                self.assertEqual((record["path"], json.loads(record["body"])["model"]), (path, name))
                self.assertEqual(record["headers"]["api-key"], "sk-upstream-azure")

    def test_unknown_ones_are_refused(self):
        with self.assertRaises(openai.NotFoundError) as refused:
            client().chat.completions.create(model="@azure/nothing", messages=say("Hello!"))
        for alias in ("fast", "big", "new"):
            self.assertIn(alias, str(refused.exception))

    def test_azures_own_client(self):
        azure = openai.AzureOpenAI(api_key=KEY, azure_endpoint=FACTS["gateway_url"], api_version="2024-10-21", max_retries=0)
        reply = azure.chat.completions.create(model="@azure/big", messages=say("Hello!"))
        self.assertEqual(reply.choices[0].message.content, "You said: Hello!")
        chunks = list(azure.chat.completions.create(model="@azure/big", messages=say("Hello!"), stream=True))
        self.assertEqual("".join(c.choices[0].delta.content or "" for c in chunks if c.choices), "You said: Hello!")
        self.assertEqual(SIM.last()["path"], "/openai/deployments/dep-4o/chat/completions")

    def test_messages(self):
        reply = post("/messages", {"model": "@azure/fast", "messages": say("Hello!"), "max_tokens": 500})
        self.assertEqual((reply.status, reply.json["content"][0]["text"]), (200, "You said: Hello!"), str(reply))


class Credentials(Case):
    def test_one_token_serves_many(self):
        harness.in_threads(8, lambda i: client().chat.completions.create(model=VERTEX, messages=say(f"number {i}")))
        asked = [r for r in SIM.records() if r["path"].endswith("/token")]
        self.assertLessEqual(len(asked), 2, "one per worker at most")

    def test_a_refused_account_says_so(self):
        with open(os.environ["SLUICE_ACCOUNT"]) as file:
            account = json.load(file)
        account.update(client_email="nobody@proj.iam.gserviceaccount.com", token_uri=HOST + "/token")
        integrate("stranger", "vertex-ai", configurations={
            "custom_host": HOST, "vertex_auth_type": "serviceAccount", "vertex_region": "us-central1",
            "vertex_service_account_json": account})
        with self.assertRaises(openai.APIError) as refused:
            client().chat.completions.create(model="@stranger/gemini-2.5-flash", messages=say("Hello!"))
        self.assertIn("gives no token", str(refused.exception))


if __name__ == "__main__":
    unittest.main()
