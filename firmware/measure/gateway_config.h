/*
 * gateway_config.h - the other end of a measured link has the whole core, whatever the device leaves out.
 */
#ifndef FIRMWARE_MEASURE_GATEWAY_CONFIG_H
#define FIRMWARE_MEASURE_GATEWAY_CONFIG_H

#define HAWSER_GATEWAY 1
#define HAWSER_RANDOM HAWSER_RANDOM_BOARD
#define HAWSER_MODE_KEYS_PSK 0

#endif
