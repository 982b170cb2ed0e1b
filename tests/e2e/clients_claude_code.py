"""Claude Code as npm gives it, through the gateway: a turn with a tool call and its result, at a provider of OpenAI's dialect and at
Anthropic's own, with the key as a token and as an API key, at a base URL with and without /v1."""
import json
import os
import subprocess
import tempfile
import unittest

from suite import FACTS, KEY, PROVIDER, SIM, integrate

PROGRAM = os.path.join(os.environ["SLUICE_TOOLS"], "node_modules/.bin/claude")
LIMIT_S = 120


def run(model, *options, prompt="Call TaskList now", base="", **key):
    """One prompt without a terminal; the messages that it prints, and the exit code."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"PATH": os.environ["PATH"], "HOME": home, "ANTHROPIC_BASE_URL": FACTS["gateway_url"] + base,
                       "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", **key}
        done = subprocess.run([PROGRAM, "-p", prompt, "--model", model, "--output-format", "stream-json", "--verbose", *options],
                              env=environment, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], done.returncode


class ClaudeCode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        integrate("claude", "anthropic")

    def setUp(self):
        SIM.reset()

    def turn(self, model, path, base="", **key):
        messages, code = run(model, base=base, **key)
        result = messages[-1]
        self.assertEqual((code, result["type"], result["is_error"]), (0, "result", False), result)
        blocks = [block for m in messages if m["type"] in ("assistant", "user") for block in m["message"]["content"]]
        calls = [b for b in blocks if b["type"] == "tool_use"]
        results = [b for b in blocks if b["type"] == "tool_result"]
        self.assertEqual([c["name"] for c in calls], ["TaskList"])
        self.assertEqual([r["tool_use_id"] for r in results], [c["id"] for c in calls])
        self.assertEqual(result["result"], "You said: " + results[0]["content"])
        asked = [r for r in SIM.records() if r["path"] == path]
        self.assertEqual(len(asked), 2, SIM.records())
        self.assertEqual([r["stream"] for r in asked], [True, True])
        self.assertNotIn("slk_", json.dumps([r["headers"] for r in asked]), "a key of ours went upstream")
        usage = result["modelUsage"][model]
        self.assertEqual(usage["inputTokens"] + usage["cacheReadInputTokens"] + usage["cacheCreationInputTokens"],
                         sum(r["prompt_tokens"] for r in asked))
        self.assertEqual(usage["outputTokens"], sum(r["completion_tokens"] for r in asked))

    def test_at_a_provider_of_openais_dialect(self):
        self.turn(PROVIDER + "/gpt-4o", "/v1/chat/completions", ANTHROPIC_AUTH_TOKEN=KEY)

    def test_at_anthropics_own(self):
        self.turn("@claude/claude-opus-4-8", "/v1/messages", ANTHROPIC_AUTH_TOKEN=KEY)

    def test_with_an_api_key_and_a_base_url_that_ends_in_v1(self):
        self.turn(PROVIDER + "/gpt-4o-mini", "/v1/chat/completions", base="/v1", ANTHROPIC_API_KEY=KEY)

    def test_a_model_that_is_not_there(self):
        messages, code = run("@no-such/gpt-4o", ANTHROPIC_AUTH_TOKEN=KEY)
        self.assertNotEqual(code, 0)
        self.assertTrue(messages[-1]["is_error"])
        self.assertEqual(SIM.records(), [])


if __name__ == "__main__":
    unittest.main()
