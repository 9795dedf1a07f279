/*
 * faults.h - put before every file of the core by test_faults' build: each call of the port goes through a function that
 * counts it and can make it fail, or repeat itself (random).
 */
#ifndef HAWSER_TEST_FAULTS_H
#define HAWSER_TEST_FAULTS_H

#define hawser_port_sha256 faults_sha256
#define hawser_port_hmac faults_hmac
#define hawser_port_hmac_start faults_hmac_start
#define hawser_port_hmac_next faults_hmac_next
#define hawser_port_hmac_key faults_hmac_key
#define hawser_port_hkdf_key faults_hkdf_key
#define hawser_port_seal faults_seal
#define hawser_port_open faults_open
#define hawser_port_keygen faults_keygen
#define hawser_port_public faults_public
#define hawser_port_dh faults_dh
#define hawser_port_dh_key faults_dh_key
#define hawser_port_random faults_random

#endif
