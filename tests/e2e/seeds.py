"""Runs every example of seeds/ as a newcomer would paste it, and looks at what reached the provider.

Only two things are put in: our key where the text says so, and our address where it says https://api.portkey.ai/v1 (the SDKs' own
environment variables do it for clients that are made without one).
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from suite import BASE_URL, FACTS, KEY, SIM, admin
import harness

SEEDS = pathlib.Path(__file__).parent / "seeds"
TOOLS = pathlib.Path(sys.prefix).parent  # of setup.sh: venv/ and node_modules/
HELLO = [{"role": "user", "content": "Hello!"}]
HELLO_PLAIN = [{"role": "user", "content": "Hello"}]
ENVIRONMENT = {**os.environ, "PORTKEY_API_KEY": KEY, "PORTKEY_BASE_URL": BASE_URL, "PORTKEY_PROXY": BASE_URL}
# slug of a provider -> model rows of its integration
PROVIDERS = {
    "openai-prod": None,
    "YOUR_AI_PROVIDER_SLUG": None,
    "ANOTHER_AI_PROVIDER_SLUG": None,
    "bedrock-us": [{"slug": "claude-3-sonnet-v1", "enabled": True, "is_custom": True, "upstream_model": "gpt-4o-mini"}],
    "provider": [{"slug": "my-custom-model-v1", "enabled": True, "is_custom": True, "base_model_slug": "gpt-4o",
                  "upstream_model": "gpt-4.1"}],
}


def text_of(name):
    text = (SEEDS / name).read_text()
    text = text.replace("https://api.portkey.ai/v1", BASE_URL).replace("base_url=PORTKEY_GATEWAY_URL", f'base_url="{BASE_URL}"')
    for quote in ('"PORTKEY_API_KEY"', ":PORTKEY_API_KEY"):
        text = text.replace(quote, quote.replace("PORTKEY_API_KEY", KEY))
    return text.replace("YOUR_PORTKEY_API_KEY", KEY)


def run(name, text):
    """Runs an example in a folder beside the installed packages; its output."""
    with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
        path = pathlib.Path(folder) / name
        path.write_text(text)
        program = {".mjs": ["node"], ".py": [sys.executable], ".sh": ["bash", "-eu"]}[path.suffix]
        done = subprocess.run([*program, str(path)], env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{name}: {done.returncode}\n{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Seeds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for slug, models in PROVIDERS.items():
            admin("POST", "/integrations", {"name": slug, "slug": slug, "ai_provider_id": "openai", "key": f"sk-{slug}",
                                            "configurations": {"custom_host": SIM.url + "/v1"}})
            if models:
                admin("PUT", f"/integrations/{slug}/models", {"models": models, "allow_all_models": False})
            admin("PUT", f"/integrations/{slug}/workspaces", {"workspaces": [{"id": FACTS["workspace"]["id"], "enabled": True}]})

        admin("POST", "/integrations", {"name": "anthropic", "slug": "anthropic", "ai_provider_id": "anthropic", "key": "sk-anthropic",
                                        "configurations": {"custom_host": SIM.url + "/v1"}})
        admin("PUT", "/integrations/anthropic/models", {"allow_all_models": False, "models": [
            {"slug": "claude-3-sonnet", "enabled": True, "is_custom": True, "upstream_model": "claude-sonnet-4-20250514"}]})
        cls.provision("anthropic")

    @staticmethod
    def provision(slug, enabled=True):
        admin("PUT", f"/integrations/{slug}/workspaces", {"workspaces": [{"id": FACTS["workspace"]["id"], "enabled": enabled}]})

    def setUp(self):
        SIM.reset()

    def check(self, records, provider, model, messages):
        """The provider got these calls with its own credential, and nothing of ours."""
        for record, slug, name in zip(records, provider, model, strict=True):
            self.assertEqual((record["path"], record["status"], record["model"]), ("/v1/chat/completions", 200, name))
            self.assertEqual(json.loads(record["body"])["messages"], messages)
            self.assertEqual(record["auth_header"], "authorization")
            self.assertEqual(record["auth_sha256_prefix"], hashlib.sha256(f"sk-{slug}".encode()).hexdigest()[:16])
            self.assertFalse([h for h in record["headers"] if h.startswith("x-portkey-")])
            self.assertNotIn(KEY, json.dumps(record))

    def test_model_prefix_and_provider_header(self):
        for name in sorted(path.name for path in SEEDS.iterdir() if path.name.startswith(("prefix_", "header_"))):
            with self.subTest(name):
                SIM.reset()
                run(name, text_of(name))
                messages = HELLO_PLAIN if name.endswith("portkey.py") else HELLO
                self.check(SIM.wait_record(), ["openai-prod"], ["gpt-4o"], messages)

    def test_curl_prints_the_answer(self):
        for name in ("prefix_curl.sh", "header_curl.sh"):
            self.assertEqual(json.loads(run(name, text_of(name)))["choices"][0]["message"]["content"], "You said: Hello!")

    def test_switching_providers(self):
        client = text_of("prefix_openai.py").split("client.chat")[0]
        run("switch_openai.py", client + text_of("switch_openai.py").replace("[...]", json.dumps(HELLO)))
        self.check(SIM.wait_record(2), ["openai-prod", "bedrock-us"], ["gpt-4o", "gpt-4o-mini"], HELLO)

    def test_default_provider_and_one_for_a_call(self):
        # The default import is how TypeScript and bundlers see a CommonJS module; node by itself has it one level deeper.
        text = text_of("default_portkey.mjs").replace("import Portkey from 'portkey-ai';", "import { default as whole } from 'portkey-ai';\n"
                                                      "const Portkey = whole.default;")
        shown = text + "console.log(chatCompletion.choices[0].message.content);\n"
        self.assertEqual(run("default_portkey.mjs", shown), "You said: Say this is a test\n")
        self.check(SIM.wait_record(), ["ANOTHER_AI_PROVIDER_SLUG"], ["gpt-3.5-turbo"],
                   [{"role": "user", "content": "Say this is a test"}])

    def test_blank_api_key(self):
        """openai 3 for Python refuses api_key="" by itself; the release that portkey-ai carries takes it and sends "Bearer "."""
        before = "import sys, portkey_ai._vendor.openai\nsys.modules['openai'] = portkey_ai._vendor.openai\n"
        call = f"\nprint(client.chat.completions.create(model='gpt-4o', messages={HELLO}).choices[0].message.content)\n"
        self.assertEqual(run("blank_openai.py", before + text_of("blank_openai.py") + call), "You said: Hello!\n")
        self.check(SIM.wait_record(), ["YOUR_AI_PROVIDER_SLUG"], ["gpt-4o"], HELLO)
        SIM.reset()
        for blank in ("", "Bearer", "Bearer "):
            reply = harness.request(BASE_URL + "/chat/completions", "POST", {"model": "gpt-4o", "messages": HELLO},
                                    {"authorization": blank, "x-portkey-api-key": KEY, "x-portkey-provider": "@openai-prod"})
            self.assertEqual(reply.status, 200, str(reply))
        self.check(SIM.wait_record(3), ["openai-prod"] * 3, ["gpt-4o"] * 3, HELLO)

    def test_custom_model_by_its_alias(self):
        reply = json.loads(run("custom_curl.sh", text_of("custom_curl.sh")))
        self.assertEqual(reply["choices"][0]["message"]["content"], "You said: Hello, what can you do?")
        self.check(SIM.wait_record(), ["provider"], ["gpt-4.1"], [{"role": "user", "content": "Hello, what can you do?"}])

    def config(self, method):
        return json.loads((SEEDS / f"config_method_{method}.json").read_text())

    def test_configs_in_the_header(self):
        for method, model in ((1, "gpt-4o-mini"), (2, "gpt-4o-mini"), (3, "gpt-4o")):
            SIM.reset()  # methods 1 and 2 replace the model of the body, method 3 takes it
            reply = harness.request(BASE_URL + "/chat/completions", "POST", {"model": model, "messages": HELLO},
                                    {"x-portkey-api-key": KEY, "x-portkey-config": json.dumps(self.config(method))})
            self.assertEqual(reply.status, 200, str(reply))
            self.assertEqual(reply.headers["x-portkey-last-used-option-index"], "config.targets[0]")
            self.check(SIM.wait_record(), ["openai-prod"], ["gpt-4o"], HELLO)

    def test_the_second_target_of_method_1(self):
        self.provision("openai-prod", False)
        try:
            reply = harness.request(BASE_URL + "/chat/completions", "POST", {"model": "gpt-4o", "messages": HELLO},
                                    {"x-portkey-api-key": KEY, "x-portkey-config": json.dumps(self.config(1))})
        finally:
            self.provision("openai-prod")
        self.assertEqual(reply.status, 200, str(reply))
        self.assertEqual(reply.headers["x-portkey-last-used-option-index"], "config.targets[1]")
        self.assertEqual(reply.json["choices"][0]["message"]["role"], "assistant")
        record, = SIM.wait_record()
        self.assertEqual((record["path"], record["status"], record["model"]), ("/v1/messages", 200, "claude-sonnet-4-20250514"))
        self.assertEqual(record["auth_sha256_prefix"], hashlib.sha256(b"sk-anthropic").hexdigest()[:16])

    def test_configs_saved(self):
        for method in (1, 2, 3):
            made = admin("POST", "/configs", {"name": f"method {method}", "config": self.config(method),
                                              "workspace_id": FACTS["workspace"]["id"]})
            for name in (made["slug"], made["id"]):
                SIM.reset()
                reply = harness.request(BASE_URL + "/chat/completions", "POST", {"model": "gpt-4o", "messages": HELLO},
                                        {"authorization": f"Bearer {KEY}", "x-portkey-config": name})
                self.assertEqual(reply.status, 200, str(reply))
                self.check(SIM.wait_record(), ["openai-prod"], ["gpt-4o"], HELLO)

    def test_configs_of_the_sdks(self):
        for method in (1, 2, 3):
            config = json.dumps(self.config(method))
            for name, text in {
                "config.mjs": f"""import {{ Portkey }} from 'portkey-ai';
                    const client = new Portkey({{ apiKey: "{KEY}", config: {config} }});
                    await client.chat.completions.create({{ model: 'gpt-4o', messages: {json.dumps(HELLO)} }});""",
                "config.py": f"from portkey_ai import Portkey\nPortkey(api_key='{KEY}', config={self.config(method)})"
                             f".chat.completions.create(model='gpt-4o', messages={HELLO})\n",
            }.items():
                with self.subTest(name, method=method):
                    SIM.reset()
                    run(name, text)
                    self.check(SIM.wait_record(), ["openai-prod"], ["gpt-4o"], HELLO)


if __name__ == "__main__":
    unittest.main(verbosity=1)
