"""One record, or a few, of each format that preferences are read from."""

from __future__ import annotations

from typing import Any, Final

import orjson

TRL: Final[list[dict[str, Any]]] = [
    {"prompt": "Why?", "chosen": "Because.", "rejected": "No."},
    {
        "prompt": [{"role": "user", "content": "Why?"}],
        "chosen": [{"role": "assistant", "content": "Because."}],
        "rejected": [{"role": "assistant", "content": "No."}],
    },
    {
        "chosen": [
            {"role": "user", "content": "Why?"},
            {"role": "assistant", "content": "Because."},
        ],
        "rejected": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "No."}],
    },
    {"chosen": "Why? Because.", "rejected": "Why? No."},
]
HH: Final = {
    "chosen": "\n\nHuman: Hello\n\nAssistant: Hi\n\nHuman: Why?\n\nAssistant: Because I say.",
    "rejected": "\n\nHuman: Hello\n\nAssistant: Hi\n\nHuman: Why?\n\nAssistant: Because of you.",
}
ULTRAFEEDBACK: Final = {
    "instruction": "Why?",
    "completions": [
        {"model": "m1", "response": "Because.", "overall_score": 8.5},
        {"model": "m2", "response": "No.", "overall_score": 3},
        {"model": "m3", "response": "So.", "overall_score": 8.5},
    ],
}
BINARISED: Final = {
    "prompt": "Why?",
    "chosen": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}],
    "rejected": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "No."}],
    "score_chosen": 8.0,
    "score_rejected": 3.0,
}
PKU: Final = {
    "prompt": "Why?",
    "response_0": "No.",
    "response_1": "Because.",
    "better_response_id": 1,
    "safer_response_id": 0,
}
ARGILLA: Final = {
    "id": "x",
    "fields": {"prompt": "Why?", "response1": "Because.", "response2": "No."},
    "responses": {
        "preference": [
            {"value": "response1", "user_id": "ann", "status": "submitted"},
            {"value": "b", "user_id": "ben", "status": "submitted"},
            {"value": "response2", "user_id": "cem", "status": "draft"},
        ]
    },
}
FLAT: Final = {
    "prompt": "Why?",
    "response1": "Because.",
    "response2": "No.",
    "preference.responses": [
        [{"value": "response1", "rank": 2}, {"value": "response2", "rank": 1}],
        [{"value": "response1", "rank": 1}, {"value": "response2", "rank": 1}],
    ],
    "preference.responses.users": ["ann", "ben"],
    "preference.responses.status": ["submitted", "submitted"],
}
ARGILLA_1: Final = {
    "fields": {"prompt": "Why?", "response-1": "Because.", "response-2": "No."},
    "responses": [
        {
            "user_id": "ann",
            "values": {"preference": {"value": "response-1"}, "comment": {"value": "Clear."}},
            "status": "submitted",
        },
        {
            "user_id": "ben",
            "values": {
                "preference": {
                    "value": [
                        {"value": "response-1", "rank": 2},
                        {"value": "response-2", "rank": 1},
                    ]
                }
            },
            "status": "submitted",
        },
        {"user_id": "cem", "values": None, "status": "discarded"},
    ],
    "suggestions": [],
}
COLUMNS: Final = {
    "prompt": "Why?",
    "response-1": "Because.",
    "response-2": "No.",
    "preference": [
        {
            "user_id": "ann",
            "value": {"rank": [2, 1], "value": ["response-1", "response-2"]},
            "status": "submitted",
        },
        {"user_id": "ben", "value": "Response 1", "status": "submitted"},
    ],
    "preference-suggestion": None,
    "metadata": "{}",
}
RATED: Final = {
    "instruction": "Why?",
    "chosen_response": "Because.",
    "rejected_response": "No.",
    "chosen_avg_rating": 5.0,
    "rejected_avg_rating": 3.75,
}
SAMPLES: Final[dict[str, list[bytes]]] = {
    "trl": [orjson.dumps(one) for one in TRL] + [orjson.dumps(TRL)],
    "hh": [orjson.dumps(HH)],
    "ultrafeedback": [orjson.dumps(one) for one in (ULTRAFEEDBACK, BINARISED, RATED)],
    "pku": [orjson.dumps(PKU)],
    "argilla": [orjson.dumps(one) for one in (ARGILLA, FLAT, ARGILLA_1, COLUMNS)],
}
