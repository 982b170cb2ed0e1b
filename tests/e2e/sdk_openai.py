"""Every OpenAI endpoint as the official SDK calls it, synchronous and asynchronous; what it returns and what the provider received."""
import asyncio
import base64
import io
import json
import unittest

import openai

import harness
from suite import BASE_URL, FACTS, KEY, PROVIDER, SIM, admin

CHAT = f"{PROVIDER}/gpt-4o"
HELLO = [{"role": "user", "content": "Hello!"}]


def client(key=KEY, **more):
    return openai.OpenAI(api_key=key, base_url=BASE_URL, max_retries=0, **more)


def pinned():
    """Objects such as files have no model string, so the provider comes in a header."""
    return client(default_headers={"x-portkey-provider": PROVIDER})


class Case(unittest.TestCase):
    def setUp(self):
        SIM.reset()

    def received(self):
        record = harness.wait_for("a request at the simulator", SIM.last)
        self.assertNotIn("slk_", json.dumps(record["headers"]), "a key of ours went upstream")
        return record


class Text(Case):
    def test_chat(self):
        reply = client().chat.completions.create(model=CHAT, messages=HELLO, temperature=0.5)
        self.assertEqual(reply.choices[0].message.content, "You said: Hello!")
        self.assertEqual(reply.usage.total_tokens, reply.usage.prompt_tokens + reply.usage.completion_tokens)
        self.assertEqual(json.loads(self.received()["body"]), {"model": "gpt-4o", "messages": HELLO, "temperature": 0.5})

    def test_chat_tools(self):
        tool = {"type": "function", "function": {"name": "get_weather", "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
        reply = client().chat.completions.create(model=CHAT, messages=[{"role": "user", "content": "weather?"}], tools=[tool])
        self.assertEqual(reply.choices[0].message.tool_calls[0].function.name, "get_weather")

    def test_stream_hides_usage(self):
        for options in ({}, {"stream_options": {"include_usage": False}}):
            chunks = list(client().chat.completions.create(model=CHAT, messages=HELLO, stream=True, **options))
            self.assertEqual("".join(c.choices[0].delta.content or "" for c in chunks), "You said: Hello!")
            self.assertTrue(all(c.usage is None for c in chunks))
            self.assertIs(json.loads(self.received()["body"])["stream_options"]["include_usage"], True)

    def test_stream_shows_usage(self):
        chunks = list(client().chat.completions.create(model=CHAT, messages=HELLO, stream=True,
                                                       stream_options={"include_usage": True}))
        self.assertEqual(chunks[-1].choices, [])
        self.assertGreater(chunks[-1].usage.total_tokens, 0)

    def test_stream_left_early(self):
        text = [{"role": "user", "content": "sim:fault=chunks:500;interval:50"}]
        with client().chat.completions.create(model=CHAT, messages=text, stream=True) as stream:
            next(iter(stream))
        self.assertIs(harness.wait_for("the end of the request", SIM.last)["aborted"], True)

    def test_many_at_once(self):
        async def run():
            async with openai.AsyncOpenAI(api_key=KEY, base_url=BASE_URL, max_retries=0) as many:
                return await asyncio.gather(*(many.chat.completions.create(
                    model=CHAT, messages=[{"role": "user", "content": f"number {i}"}]) for i in range(40)))
        texts = [reply.choices[0].message.content for reply in asyncio.run(run())]
        self.assertEqual(texts, [f"You said: number {i}" for i in range(40)])

    def test_completions(self):
        model = f"{PROVIDER}/gpt-3.5-turbo-instruct"
        whole = client().completions.create(model=model, prompt="Say").choices[0].text
        parts = list(client().completions.create(model=model, prompt="Say", stream=True))
        self.assertEqual("".join(p.choices[0].text for p in parts), whole)

    def test_embeddings(self):
        model = f"{PROVIDER}/text-embedding-3-small"
        packed = client().embeddings.create(model=model, input=["one", "two"], dimensions=8)
        plain = client().embeddings.create(model=model, input="one", encoding_format="float")
        self.assertEqual(packed.data[0].embedding, plain.data[0].embedding[:8])

    def test_moderations(self):
        reply = client().moderations.create(model=f"{PROVIDER}/omni-moderation-latest", input=["fine", "sim:flag"])
        self.assertEqual([r.flagged for r in reply.results], [False, True])

    def test_responses(self):
        made = pinned().responses.create(model=CHAT, input="Hello!")
        self.assertEqual(made.output_text, "You said: Hello!")
        self.assertEqual(pinned().responses.retrieve(made.id).id, made.id)
        self.assertEqual(len(pinned().responses.input_items.list(made.id).data), 1)
        pinned().responses.delete(made.id)
        with self.assertRaises(openai.NotFoundError):
            pinned().responses.retrieve(made.id)
        slow = pinned().responses.create(model=CHAT, input="Later", background=True)
        self.assertEqual(pinned().responses.cancel(slow.id).status, "cancelled")

    def test_responses_stream(self):
        with pinned().responses.stream(model=CHAT, input="Hello!") as stream:
            kinds = [event.type for event in stream]
            self.assertEqual(stream.get_final_response().output_text, "You said: Hello!")
        self.assertEqual((kinds[0], kinds[-1]), ("response.created", "response.completed"))


class Media(Case):
    def test_images(self):
        made = client().images.generate(model=f"{PROVIDER}/gpt-image-1", prompt="a cat").data[0].b64_json
        image = ("cat.png", base64.b64decode(made), "image/png")
        edited = client().images.edit(model=f"{PROVIDER}/gpt-image-1", image=image, prompt="a hat")
        self.assertTrue(edited.data[0].b64_json)
        record = self.received()
        self.assertEqual((record["path"], record["model"]), ("/v1/images/edits", "gpt-image-1"))

    def test_audio(self):
        speech = client().audio.speech.create(model=f"{PROVIDER}/tts-1", voice="alloy", input="Good morning").read()
        self.assertEqual(len(speech), 1600 * 3)
        for what in (client().audio.transcriptions, client().audio.translations):
            heard = what.create(model=f"{PROVIDER}/whisper-1", file=("morning.wav", speech))
            self.assertIn("morning.wav", heard.text)
            self.assertEqual(self.received()["model"], "whisper-1")

    def test_speech_as_a_stream(self):
        with client().audio.speech.with_streaming_response.create(model=f"{PROVIDER}/tts-1", voice="alloy",
                                                                   input="word " * 400) as reply:
            self.assertEqual(sum(len(part) for part in reply.iter_bytes()), 1600 * 500)


class Objects(Case):
    def test_files(self):
        data = b'{"a":1}\n' * 5000
        files = pinned().files
        made = files.create(file=("rows.jsonl", io.BytesIO(data)), purpose="user_data")
        self.assertEqual((made.bytes, files.retrieve(made.id).filename), (len(data), "rows.jsonl"))
        self.assertEqual(files.content(made.id).read(), data)
        self.assertIn(made.id, [f.id for f in files.list()])
        self.assertTrue(files.delete(made.id).deleted)
        with self.assertRaises(openai.NotFoundError):
            files.retrieve(made.id)

    def test_batches(self):
        rows = "".join(json.dumps({"custom_id": f"r{i}", "method": "POST", "url": "/v1/chat/completions",
                                   "body": {"model": "gpt-4o-mini", "messages": HELLO}}) + "\n" for i in range(3))
        call = pinned()
        source = call.files.create(file=("batch.jsonl", rows.encode()), purpose="batch")
        made = call.batches.create(input_file_id=source.id, endpoint="/v1/chat/completions", completion_window="24h")
        done = harness.wait_for("the end of the batch",
                                lambda: (b := call.batches.retrieve(made.id)).status == "completed" and b, pause=0.1)
        self.assertEqual((done.request_counts.completed, done.request_counts.failed), (3, 0))
        self.assertEqual(len(call.files.content(done.output_file_id).text.strip().split("\n")), 3)
        self.assertIn(made.id, [b.id for b in call.batches.list()])
        other = call.batches.create(input_file_id=source.id, endpoint="/v1/chat/completions", completion_window="24h")
        self.assertTrue(call.batches.cancel(other.id).status.startswith("cancel"))

    def test_fine_tuning(self):
        row = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
        call = pinned()
        source = call.files.create(file=("train.jsonl", (json.dumps(row) + "\n").encode() * 10), purpose="fine-tune")
        made = call.fine_tuning.jobs.create(model=f"{PROVIDER}/gpt-4o-mini", training_file=source.id)
        done = harness.wait_for("the end of the job",
                                lambda: (j := call.fine_tuning.jobs.retrieve(made.id)).status == "succeeded" and j, pause=0.1)
        self.assertTrue(done.fine_tuned_model.startswith("ft:gpt-4o-mini:"))
        self.assertTrue(call.fine_tuning.jobs.list_events(made.id).data)
        self.assertIn(made.id, [j.id for j in call.fine_tuning.jobs.list()])
        other = call.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=source.id)
        self.assertEqual(call.fine_tuning.jobs.cancel(other.id).status, "cancelled")

    def test_models(self):
        self.assertIn(CHAT, [model.id for model in client().models.list()])
        self.assertEqual(client().models.retrieve(CHAT).id, CHAT)
        with self.assertRaises(openai.NotFoundError):
            client().models.retrieve(f"{PROVIDER}/no-such-model-at-all")
        self.assertEqual(SIM.records(), [])


class Errors(Case):
    def ask(self, kind, model=CHAT, text="x", key=KEY):
        with self.assertRaises(kind) as raised:
            client(key).chat.completions.create(model=model, messages=[{"role": "user", "content": text}])
        return raised.exception

    def test_of_the_gateway(self):
        self.ask(openai.AuthenticationError, key="slk_wrong")
        self.ask(openai.PermissionDeniedError, key=FACTS["org_admin_key"])
        fault = self.ask(openai.NotFoundError, model="@no-such-provider/gpt-4o")
        self.assertIn("no-such-provider", str(fault))
        self.assertEqual(fault.response.headers["x-sluice-error-source"], "gateway")
        self.assertEqual(SIM.records(), [])

    def test_of_a_denied_model(self):
        rules = f"/integrations/{FACTS['integration']['slug']}/models"
        admin("PUT", rules, {"models": [{"slug": "o1-mini", "enabled": False}]})
        try:
            self.assertEqual(self.ask(openai.PermissionDeniedError, f"{PROVIDER}/o1-mini").code, "model_not_allowed")
        finally:
            admin("PUT", rules, {"models": [{"slug": "o1-mini", "enabled": True}]})

    def test_of_the_provider(self):
        for status, kind in {400: openai.BadRequestError, 401: openai.AuthenticationError, 403: openai.PermissionDeniedError,
                             404: openai.NotFoundError, 422: openai.UnprocessableEntityError, 429: openai.RateLimitError,
                             500: openai.InternalServerError}.items():
            fault = self.ask(kind, text=f"sim:fault=status:{status}")
            self.assertEqual(fault.response.headers["x-sluice-error-source"], "provider")

    def test_a_broken_stream_raises(self):
        text = [{"role": "user", "content": "sim:fault=truncate:3"}]
        with self.assertRaises((openai.APIError, openai.APIConnectionError)):
            list(client().chat.completions.create(model=CHAT, messages=text, stream=True))


if __name__ == "__main__":
    unittest.main(verbosity=1)
