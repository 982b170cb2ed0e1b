from openai import OpenAI
from portkey_ai import PORTKEY_GATEWAY_URL, createHeaders

client = OpenAI(
  api_key="", # can be left blank
  base_url=PORTKEY_GATEWAY_URL,
  default_headers=createHeaders(
    api_key="PORTKEY_API_KEY",
    provider="@YOUR_AI_PROVIDER_SLUG"
#   provider="@YOUR_AI_PROVIDER_SLUG"
  )
)
