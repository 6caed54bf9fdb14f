"""The rule language of AI-Infra-Guard, read from a folder of its rules.

Based on Tencent Zhuque Lab AI-Infra-Guard (https://github.com/Tencent/AI-Infra-Guard). The language
is described in ``docs/survey.md``; this code is an implementation of its own.
"""
