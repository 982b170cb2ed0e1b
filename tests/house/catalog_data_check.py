"""Checks of control-plane/catalog-data: invariants of the committed files, known prices, and the converter on a fixture."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(ROOT, "control-plane", "catalog-data")

SLUGS = """302ai ai21 aibadgr anthropic anyscale azure-ai azure-openai bedrock bytez cerebras cohere cometapi cortex
dashscope deepbricks deepinfra deepseek featherless-ai fireworks-ai github google groq huggingface hyperbolic
inference-net iointelligence jina kluster-ai krutrim lambda lemonfox-ai lepton lingyi matterai meshy milvus mistral-ai
modal monsterapi moonshot ncompass nebius nextbit nomic novita-ai nscale ollama openai openrouter oracle ovhcloud palm
perplexity-ai predibase qdrant recraft-ai reka-ai replicate sagemaker sambanova segmind siliconflow stability-ai
together-ai tripo3d triton upstage vertex-ai voyage workers-ai x-ai z-ai zhipu""".split()
TYPES = {"chat", "completion", "embedding", "image", "audio", "realtime", "video", "rerank", "moderation", "ocr"}
MODALITIES = {"text", "image", "audio", "video", "pdf"}
OPS_BESIDE = {"models", "realtime", "chat_stream", "completions_stream", "messages_stream"}
# USD per million tokens: input, output, cached input. From the providers' price lists as the sources give them.
TOKEN_PRICES = {
    ("openai", "gpt-4o"): ("2.5", "10", "1.25"), ("openai", "gpt-4o-mini"): ("0.15", "0.6", "0.075"),
    ("openai", "gpt-4o-2024-08-06"): ("2.5", "10", "1.25"), ("openai", "gpt-4.1"): ("2", "8", "0.5"),
    ("openai", "gpt-4.1-mini"): ("0.4", "1.6", "0.1"), ("openai", "gpt-5"): ("1.25", "10", "0.125"),
    ("openai", "gpt-5-mini"): ("0.25", "2", "0.025"), ("openai", "gpt-5-nano"): ("0.05", "0.4", "0.005"),
    ("openai", "o1"): ("15", "60", "7.5"), ("openai", "o3"): ("2", "8", "0.5"),
    ("openai", "o3-mini"): ("1.1", "4.4", "0.55"), ("openai", "o4-mini"): ("1.1", "4.4", "0.275"),
    ("openai", "gpt-3.5-turbo"): ("0.5", "1.5", None), ("openai", "text-embedding-3-small"): ("0.02", "0", None),
    ("openai", "text-embedding-3-large"): ("0.13", "0", None),
    ("anthropic", "claude-sonnet-4-5-20250929"): ("3", "15", "0.3"),
    ("anthropic", "claude-opus-4-1-20250805"): ("15", "75", "1.5"),
    ("anthropic", "claude-haiku-4-5-20251001"): ("1", "5", "0.1"),
    ("anthropic", "claude-3-5-haiku-20241022"): ("0.8", "4", "0.08"),
    ("google", "gemini-2.5-pro"): ("1.25", "10", "0.125"), ("google", "gemini-2.5-flash"): ("0.3", "2.5", "0.03"),
    ("google", "gemini-2.0-flash"): ("0.1", "0.4", "0.025"),
    ("groq", "llama-3.3-70b-versatile"): ("0.59", "0.79", None), ("cohere", "command-r-plus"): ("2.5", "10", None),
    ("bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0"): ("3", "15", "0.3"),
    ("x-ai", "grok-4"): ("3", "15", None), ("perplexity-ai", "sonar"): ("1", "1", None),
}
OTHER_PRICES = [  # unit, pico-USD
    ("openai", "whisper-1", "audio_input_second", 100_000_000), ("openai", "tts-1", "input_character", 15_000_000),
    ("openai", "dall-e-3", "image", 40_000_000_000), ("openai", "dall-e-3", "image:hd/1792x1024", 120_000_000_000),
    ("openai", "gpt-4o", "input_token:tier=batch", 1_250_000), ("openai", "gpt-4o", "web_search", 10_000_000_000),
    ("google", "gemini-2.5-pro", "input_token:>200000", 2_500_000),
    ("anthropic", "claude-sonnet-4-5-20250929", "cache_write_1h_token", 6_000_000),
    ("cohere", "rerank-v3.5", "rerank_search", 2_000_000_000), ("openai", "omni-moderation-latest", "input_token", 0),
    ("openai", "sora-2", "video_second:1280x720", 100_000_000_000),
]


def no_floats(text):
    raise AssertionError("a fraction in the data: " + text)


def lines(name):
    with open(os.path.join(DATA, name), encoding="utf-8") as file:
        return [json.loads(line, parse_float=no_floats) for line in file]


def def_column(name, macro, column):
    with open(os.path.join(ROOT, "common", name), encoding="utf-8") as file:
        rows = re.findall(r"^%s\(([^)]*)\)" % macro, file.read(), re.M)
    return {row.split(",")[column].strip().strip('"') for row in rows}


MANIFEST = json.load(open(os.path.join(DATA, "manifest.json"), encoding="utf-8"))
PROVIDERS = lines("providers.jsonl")
MODELS = {p["slug"]: lines("models/%s.jsonl" % p["slug"]) for p in PROVIDERS
          if os.path.exists(os.path.join(DATA, "models", p["slug"] + ".jsonl"))}
UNITS = def_column("price.def", "PRICE", 1)
OPS = def_column("ops.def", "OP", 1) - {"passthrough"}


class Providers(unittest.TestCase):
    def test_every_gateway_slug_once(self):
        self.assertEqual([p["slug"] for p in PROVIDERS], sorted(SLUGS))
        self.assertEqual(len(SLUGS), 73)

    def test_counts(self):
        models = [m for rows in MODELS.values() for m in rows]
        self.assertEqual(MANIFEST["counts"], {
            "providers": len(PROVIDERS), "providers_with_models": len(MODELS), "models": len(models),
            "models_with_prices": sum("prices_picousd" in m for m in models),
            "models_with_limits": sum("limits" in m for m in models)})
        self.assertGreater(len(models), 4500)

    def test_rows(self):
        for p in PROVIDERS:
            with self.subTest(p["slug"]):
                self.assertTrue(p["name"] and p["dialect"])
                self.assertTrue(p["base_url"].startswith(("https://", "{")) or p.get("custom_host"), p["base_url"])
                self.assertFalse(p["base_url"].endswith("/"))
                for op, path in p["endpoints"].items():
                    self.assertIn(op, OPS | OPS_BESIDE)
                    self.assertRegex(path, r"^/[\x21-\x7e]+$")
                    self.assertEqual("{id}" in path, self.takes_id(op), op)
                self.assertNotIn("api_key", json.dumps(p["endpoints"]), "a key in a URL")

    @staticmethod
    def takes_id(op):
        return op.endswith(("_get", "_cancel", "_delete", "_content", "_events", "_input_items"))

    def test_openai_has_every_operation(self):
        row = next(p for p in PROVIDERS if p["slug"] == "openai")
        self.assertEqual(set(row["endpoints"]) - OPS_BESIDE, OPS - {"messages", "messages_count_tokens", "rerank"})

    def test_auth_and_hosts(self):
        for p in PROVIDERS:
            with self.subTest(p["slug"]):
                self.assertIn(p["auth"]["scheme"], {"header", "aws_sigv4", "gcp_oauth", "oci_signature"})
                if p["auth"]["scheme"] == "header":
                    self.assertRegex(p["auth"]["header"], r"^[a-z-]+$")
                if p["base_url"]:
                    host = re.sub(r"^https://", "", p["base_url"]).split("/")[0]
                    self.assertIn(host, p["hosts"])
                else:
                    self.assertEqual(p["hosts"], [])
                named = set(re.findall(r"\{(\w+)\}", p["base_url"] + "".join(p["endpoints"].values())))
                self.assertEqual(named - {"id", "model"}, set(p.get("placeholders", [])))

    def test_passthrough_keeps_away_from_administration(self):
        bad = re.compile(r"organi[sz]ation|admin|key|user|project|billing|usage|cost|file|batch|fine|vector_store|assistant|thread|/v\d$")
        for p in PROVIDERS:
            for path in p.get("passthrough", []):
                self.assertRegex(path, r"^/[a-z0-9/_-]+[a-z0-9]$")
                self.assertNotRegex(path, bad, p["slug"])


class Models(unittest.TestCase):
    def each(self):
        for slug, rows in MODELS.items():
            for m in rows:
                yield slug, m

    def test_ids(self):
        for slug, rows in MODELS.items():
            ids = [m["id"] for m in rows]
            self.assertEqual(ids, sorted(set(ids)), slug)
            self.assertTrue(all(0 < len(i) <= 255 for i in ids))

    def test_rows(self):
        known = {"id", "name", "type", "limits", "input", "output", "capabilities", "not_capabilities", "family",
                 "knowledge_cutoff", "release_date", "open_weights", "status", "prices_picousd", "src"}
        for slug, m in self.each():
            self.assertLessEqual(set(m), known)
            self.assertIn(m.get("type", "chat"), TYPES)
            self.assertLessEqual(set(m.get("input", []) + m.get("output", [])), MODALITIES)
            self.assertFalse(set(m.get("capabilities", [])) & set(m.get("not_capabilities", [])))
            self.assertIn(m.get("status", "beta"), {"alpha", "beta", "deprecated"})
            for name, value in m.get("limits", {"max_input_tokens": 1}).items():
                self.assertIn(name, {"context_window_tokens", "max_input_tokens", "max_output_tokens"})
                self.assertTrue(type(value) is int and 0 < value < 1 << 40, (slug, m["id"], name, value))

    def test_prices_are_whole_and_of_known_units(self):
        for slug, m in self.each():
            prices = m.get("prices_picousd", {"input_token": 1})
            self.assertTrue(prices)
            for unit, value in prices.items():
                name, _, variant = unit.partition(":")
                self.assertIn(name, UNITS, (slug, m["id"]))
                self.assertLessEqual(len(variant), 22)
                self.assertTrue(type(value) is int and 0 <= value < 10 ** 15, (slug, m["id"], unit, value))
            self.assertLessEqual(sum(":" in unit for unit in prices), 48)

    def test_no_zero_for_unknown(self):
        for slug, m in self.each():
            prices = m.get("prices_picousd", {})
            free = prices.get("input_token") == 0 and prices.get("output_token") == 0
            for unit, value in prices.items():
                if value == 0 and not free:
                    self.assertEqual(unit.split(":")[0], "output_token", (slug, m["id"]))
                    self.assertIn(m.get("type"), {"embedding", "rerank", "moderation"}, (slug, m["id"]))

    def test_known_prices(self):
        by_id = {(slug, m["id"]): m["prices_picousd"] for slug, m in self.each() if "prices_picousd" in m}
        for key, figures in TOKEN_PRICES.items():
            for unit, usd in zip(("input_token", "output_token", "cache_read_token"), figures):
                whole, _, part = (usd or "").partition(".")
                want = int(whole + part.ljust(6, "0")) if usd else None
                self.assertEqual(by_id[key].get(unit), want, (key, unit))
        for slug, model, unit, want in OTHER_PRICES:
            self.assertEqual(by_id[slug, model].get(unit), want, (slug, model, unit))
        self.assertGreaterEqual(len(TOKEN_PRICES), 25)


FIXTURE_PROVIDER = {"slug": "acme", "name": "Acme", "base_url": "https://{zone}.acme.test/v1", "openai_compatible": True,
                    "auth": {"header": "Authorization", "prefix": "Bearer "}, "extra_headers": {"X-A": "1"}, "notes": "",
                    "endpoints": {"chatComplete": "/chat/completions", "embed": "/embeddings?key={api_key}"},
                    "chat_param_renames": {"max_completion_tokens": "max_tokens"}}
FIXTURE_MODELS = [
    {"id": "b", "type": "audio", "price": {"input_usd_per_million_tokens": 0.6, "output_usd_per_million_tokens": 0,
                                           "audio_input_usd_per_minute": 0.0001}},
    {"id": "a", "type": "chat", "limits": {"context_window_tokens": 1000, "max_tokens_param_upper_bound": 7},
     "capabilities": {"vision": True, "reasoning": False},
     "price": {"input_usd_per_million_tokens": 0.083333333, "output_usd_per_million_tokens": 3,
               "image_usd_per_image": {"default": 0.04, "default/1x1": 0.04, "hd": 0.08, "hd/1x2": 0.12}},
     "price_tiers": [{"above_input_tokens": 200000, "input_usd_per_million_tokens": 1,
                      "output_usd_per_million_tokens": 3}],
     "batch_price": {"input_usd_per_million_tokens": 0.5, "output_usd_per_million_tokens": 3}},
    {"id": "c", "type": "image", "price": {"image_usd_per_image": {"default": 0.00001}}},
    {"id": "d:free", "type": "chat", "price": {"input_usd_per_million_tokens": 0, "output_usd_per_million_tokens": 0}},
]
FIXTURE_WANT = {
    "a": {"input_token": 83334, "output_token": 3000000, "image": 40000000000, "image:hd": 80000000000,
          "image:hd/1x2": 120000000000, "input_token:tier=batch": 500000, "input_token:>200000": 1000000,
          "output_token:>200000": 3000000},
    "b": {"input_token": 600000, "audio_input_second": 1666667}, "c": None,
    "d:free": {"input_token": 0, "output_token": 0},
}


class Converter(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        os.makedirs(os.path.join(self.dir, "source", "catalog"))
        shutil.copy(os.path.join(DATA, "convert.py"), self.dir)
        self.write("source/providers.json", [FIXTURE_PROVIDER])
        self.write("overrides.json", {"acme": {"endpoints": {"models": "/models"}, "no_stream_options": True}})
        self.write("source/catalog/acme.json", {"generated": "2026-01-02", "sources": ["s"], "models": FIXTURE_MODELS,
                                                "env": ["ACME_API_KEY"]})

    def write(self, name, value):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as file:
            json.dump(value, file)

    def read(self, name):
        with open(os.path.join(self.dir, name), encoding="utf-8") as file:
            return file.read()

    def convert(self, *args):
        return subprocess.run([sys.executable, os.path.join(self.dir, "convert.py"), *args], capture_output=True,
                              text=True, check=False)

    def test_fixture(self):
        done = self.convert("--source", os.path.join(self.dir, "source"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(self.read("providers.jsonl")), {
            "slug": "acme", "name": "Acme", "dialect": "openai", "base_url": "https://{zone}.acme.test/v1",
            "auth": {"scheme": "header", "header": "authorization", "prefix": "Bearer "},
            "endpoints": {"chat": "/chat/completions", "embeddings": "/embeddings", "models": "/models"},
            "extra_headers": {"x-a": "1"}, "renames": {"max_completion_tokens": "max_tokens"},
            "no_stream_options": True, "hosts": ["{zone}.acme.test"], "placeholders": ["zone"],
            "env": ["ACME_API_KEY"]})
        rows = [json.loads(line) for line in self.read("models/acme.jsonl").splitlines()]
        self.assertEqual({m["id"]: m.get("prices_picousd") for m in rows}, FIXTURE_WANT)
        self.assertEqual([m["id"] for m in rows], ["a", "b", "c", "d:free"])
        self.assertEqual(rows[0]["limits"], {"context_window_tokens": 1000})
        self.assertEqual((rows[0]["capabilities"], rows[0]["not_capabilities"]), (["vision"], ["reasoning"]))
        self.assertEqual(json.loads(self.read("manifest.json"))["dropped"],
                         {"implausible image": 1, "zero output_token": 1})

    def test_rerun_is_the_same_and_check_sees_a_change(self):
        source = os.path.join(self.dir, "source")
        self.assertEqual(self.convert("--source", source).returncode, 0)
        first = self.read("manifest.json")
        self.assertEqual(self.convert("--source", source).returncode, 0)
        self.assertEqual(self.read("manifest.json"), first)
        self.assertEqual(self.convert("--check").returncode, 0)
        with open(os.path.join(self.dir, "models", "acme.jsonl"), "a", encoding="utf-8") as file:
            file.write("{}\n")
        self.assertNotEqual(self.convert("--check").returncode, 0)
        self.assertEqual(self.convert("--manifest").returncode, 0)
        self.assertEqual(self.convert("--check").returncode, 0)

    def test_unknown_fields_stop_it(self):
        for price in ({"gold_usd_per_bar": 1}, {"extra_usd_per_unit": {"gold": 1}}):
            self.write("source/catalog/acme.json", {"generated": "", "sources": [], "models": [
                {"id": "a", "price": price}]})
            self.assertNotEqual(self.convert("--source", os.path.join(self.dir, "source")).returncode, 0)


if __name__ == "__main__":
    unittest.main()
