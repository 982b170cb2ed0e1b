import OpenAI from 'openai';

const openai = new OpenAI({
    apiKey: "PORTKEY_API_KEY",
    baseURL: "https://api.portkey.ai/v1"
});

const completion = await openai.chat.completions.create({
    model: "@openai-prod/gpt-4o",
    messages: [{ role: 'user', content: 'Hello!' }]
});
